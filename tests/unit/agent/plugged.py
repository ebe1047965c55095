"""An agent's driver on its sockets, with a kubelet's client and a cluster that keeps what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from libvf_agent.backends.known import known
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.host import Host, Places
from libvf_agent.plugin import Sockets
from libvf_agent.sysfs import Sysfs
from libvf_agent.wire import dra_pb2 as dra
from libvf_agent.wire import dra_pb2_grpc

from tests.fakekernel.cards import mdpy
from tests.fakekernel.mdev import MediatedHost

Json = dict[str, Any]
UID = "0a1b2c3d-0000-4000-8000-000000000001"
CLAIM = dra.Claim(namespace="ns", name="desk-gpu0", uid=UID)


class Cluster:
    """An API server's part: claims and slices in dictionaries."""

    def __init__(self) -> None:
        self.claims: dict[tuple[str, str], Json] = {}
        self.statuses: list[Json] = []
        self.published: dict[str, Json] = {}
        self.ruled: list[Json] | None = None

    def allocate(self, name: str, uid: str, *results: Json) -> None:
        meta = {"name": name, "namespace": "ns", "uid": uid}
        devices = {"results": [{"driver": "libvf.io", **result} for result in results]}
        self.claims["ns", name] = {"metadata": meta, "status": {"allocation": {"devices": devices}}}

    async def claim(self, namespace: str, name: str) -> Json | None:
        return self.claims.get((namespace, name))

    async def apply_claim_status(self, body: Json) -> None:
        self.statuses.append(body)
        meta = body["metadata"]
        if claim := self.claims.get((meta["namespace"], meta["name"])):
            claim["status"]["devices"] = body["status"]["devices"]

    async def node(self, name: str) -> Json:
        return {"metadata": {"name": name, "uid": "node-uid"}}

    async def apply_node_status(self, body: Json) -> None:
        self.statuses.append(body)

    async def slices(self, node: str) -> list[Json]:
        return list(self.published.values())

    async def put_slice(self, body: Json) -> None:
        self.published[body["metadata"]["name"]] = body

    async def delete_slice(self, name: str) -> None:
        self.published.pop(name, None)

    def rule(self, generation: int = 1, **spec: Any) -> Json:
        meta = {"name": "p", "uid": "policy-uid", "generation": generation, "creationTimestamp": "2026-11-24T10:00:00Z"}
        self.ruled = [{"metadata": meta, "spec": spec}]
        return self.ruled[0]

    async def policies(self) -> list[Json] | None:
        return self.ruled

    async def policy_events(self) -> AsyncIterator[Json]:
        yield {"type": "LIST", "object": {}}

    async def slice_events(self, node: str) -> AsyncIterator[Json]:
        for body in self.published.values():
            yield {"type": "ADDED", "object": body}


class Bed:
    """A host with mdpy, its driver on sockets, and a kubelet's channel to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernel = MediatedHost(mdpy())
        self.cluster = Cluster()
        places = Places(folder / "state", folder / "cdi", folder / "metadata")
        self.host = Host("n1", Doors(Sysfs(self.kernel), accelerated=lambda: True, tap=lambda: None), known(), places)
        self.driver = Driver(self.host, self.cluster, call_seconds=1)
        self.sockets = Sockets(self.driver, folder / "kubelet")
        self.cdi_file = folder / "cdi" / f"libvf.io-{UID}.json"

    def channel(self, socket: Path) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(f"unix://{socket}")

    async def prepare(self, *claims: dra.Claim) -> dict[str, dra.NodePrepareResourceResponse]:
        async with self.channel(self.sockets.endpoint) as channel:
            stub = dra_pb2_grpc.DRAPluginStub(channel)  # type: ignore[no-untyped-call]
            answer = await stub.NodePrepareResources(dra.NodePrepareResourcesRequest(claims=claims))
            return dict(answer.claims)

    async def unprepare(self, *claims: dra.Claim) -> dict[str, dra.NodeUnprepareResourceResponse]:
        async with self.channel(self.sockets.endpoint) as channel:
            stub = dra_pb2_grpc.DRAPluginStub(channel)  # type: ignore[no-untyped-call]
            answer = await stub.NodeUnprepareResources(dra.NodeUnprepareResourcesRequest(claims=claims))
            return dict(answer.claims)


def xga(bed: Bed, uid: str = UID, device: str = "xga-0") -> None:
    bed.cluster.allocate("desk-gpu0", uid, {"request": "gpu/open", "pool": "n1-mdpy", "device": device})
