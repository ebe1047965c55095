"""In the agent's container: the RPC that kubelet makes for a claim, and the bare sysfs write, by turns.

Arguments: the claim's namespace, name and UID, a type of mediated device and its parent, and how many rounds.
"""

import json
import pathlib
import sys
import time
import uuid

import grpc
from libvf_agent.wire import dra_pb2 as dra
from libvf_agent.wire import dra_pb2_grpc

SOCKET = "unix:///var/lib/kubelet/plugins/libvf.io/dra.sock"
SETTLE_SECONDS = 1.0  # the agent publishes what it offers now


def rpc(stub: dra_pb2_grpc.DRAPluginStub, claim: dra.Claim) -> float:
    """Seconds of a prepare; what it carved is given back."""
    began = time.monotonic()
    answer = stub.NodePrepareResources(dra.NodePrepareResourcesRequest(claims=[claim]))
    seconds = time.monotonic() - began
    if error := answer.claims[claim.uid].error:
        raise SystemExit(f"the claim was not prepared: {error}")
    answer = stub.NodeUnprepareResources(dra.NodeUnprepareResourcesRequest(claims=[claim]))
    if error := answer.claims[claim.uid].error:
        raise SystemExit(f"the claim was not given back: {error}")
    return seconds


def write(kind: str, parent: str) -> float:
    """Seconds of the write that makes a device; it is removed again."""
    device = str(uuid.uuid4())
    create = pathlib.Path(f"/sys/class/mdev_bus/{parent}/mdev_supported_types/{kind}/create")
    began = time.monotonic()
    create.write_text(device)
    seconds = time.monotonic() - began
    pathlib.Path(f"/sys/bus/mdev/devices/{device}/remove").write_text("1")
    return seconds


def main(namespace: str, name: str, uid: str, kind: str, parent: str, rounds: str) -> dict[str, list[float]]:
    """Seconds of each; the first turn is not counted."""
    claim = dra.Claim(namespace=namespace, name=name, uid=uid)
    found: dict[str, list[float]] = {"rpc": [], "write": []}
    with grpc.insecure_channel(SOCKET) as channel:
        stub = dra_pb2_grpc.DRAPluginStub(channel)  # type: ignore[no-untyped-call]
        for _ in range(int(rounds) + 1):
            found["rpc"].append(rpc(stub, claim))
            time.sleep(SETTLE_SECONDS)
            found["write"].append(write(kind, parent))
            time.sleep(SETTLE_SECONDS)
    return {what: seconds[1:] for what, seconds in found.items()}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
