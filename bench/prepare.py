"""How long a prepare takes: kubelet's RPC to the agent, against the bare sysfs write and against `mdevctl start`."""

import asyncio
import statistics
from collections.abc import Iterable, Iterator, Sequence

from libvf_api.apiserver import ApiServer
from libvf_api.names import DRIVER, GPU_CLASS

from bench.figures import Figure
from bench.innode import machines
from bench.innode.bed import bed
from bench.innode.machines import KIND, PARENT, Json
from bench.spread import percentile
from lab.progress import step
from lab.testbed import Testbed

_CLAIMS = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
_SLICES = "/apis/resource.k8s.io/v1/resourceslices"
_NAME = "bench-prepare"


def run(quick: bool) -> Iterable[Figure]:
    """All of them on one node; the claim is allocated by hand, so that nobody but the bench asks for it."""
    rounds = 3 if quick else 12
    with bed() as place:
        uid = asyncio.run(_allocated(place.lab))
        try:
            with step(f"{rounds} prepares and {rounds} writes"):
                found = place.in_agent("prepares", "default", _NAME, uid, KIND, PARENT, str(rounds))
            with step(f"{rounds} starts by mdevctl"):
                peer = place.script("mdevctl", KIND, PARENT, str(rounds))
        finally:
            place.lab.kubectl("delete", "resourceclaim", _NAME, "--ignore-not-found")
        yield from figures(found["rpc"], found["write"], peer)


def figures(rpc: Sequence[float], write: Sequence[float], mdevctl: Sequence[float]) -> Iterator[Figure]:
    """From seconds of each. Pure."""
    middle, bare, other = (1000 * statistics.median(each) for each in (rpc, write, mdevctl))
    note = (
        f"{middle:.1f} ms at the median and {1000 * percentile(rpc, 95):.1f} ms at the 95th percentile, with a read "
        f"and a write of the claim at the API server; the bare write {bare:.1f} ms, mdevctl start {other:.1f} ms"
    )
    samples = tuple(1000 * each - bare for each in rpc)
    yield Figure(
        name="prepare beyond the bare write", value=middle - bare, unit="ms", peer="the sysfs write alone", goal=30.0,
        note=note, samples=samples,
    )  # fmt: skip
    yield Figure(name="prepare", value=middle / other, unit="x", peer="`mdevctl start`")


async def _allocated(lab: Testbed) -> str:
    """The UID of a claim on a device of the card, which no Pod uses."""
    server = await machines.connect(lab)
    try:
        await server.delete(f"{_CLAIMS}/{_NAME}")
        claim = await server.create(_CLAIMS, _claim(), machines.MANAGER)
        status = allocation(await _device(server), "n1")
        await server.merge(f"{_CLAIMS}/{_NAME}/status", {"status": status}, machines.MANAGER)
        return str(claim["metadata"]["uid"])
    finally:
        await server.close()


async def _device(server: ApiServer) -> tuple[str, str]:
    """Pool and name of the first device of the type that the node offers."""
    listed = await server.get(_SLICES)
    return next(
        (piece["spec"]["pool"]["name"], device["name"])
        for piece in listed["items"]
        for device in piece["spec"].get("devices") or ()
        if device["attributes"].get("type", {}).get("string") == KIND
    )


def allocation(device: tuple[str, str], node: str) -> Json:
    """What the scheduler would have said."""
    result = {"request": "gpu", "driver": DRIVER, "pool": device[0], "device": device[1]}
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    selector = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"allocation": {"devices": {"results": [result]}, "nodeSelector": selector}}


def _claim() -> Json:
    request = {"name": "gpu", "exactly": {"deviceClassName": GPU_CLASS, "allocationMode": "ExactCount", "count": 1}}
    head = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim"}
    return {**head, "metadata": {"name": _NAME, "namespace": "default"}, "spec": {"devices": {"requests": [request]}}}
