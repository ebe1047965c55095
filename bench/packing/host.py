"""A host that is only a Node object, with the agent's driver on a fake kernel behind it; every write is counted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

from libvf_agent.backends.known import known
from libvf_agent.claims import ClaimRef
from libvf_agent.cluster import Cluster
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.host import Host, Places
from libvf_agent.sysfs import Sysfs
from libvf_api.apiserver import ApiServer

from bench.packing import ask
from bench.packing.cards import on_host

Json = dict[str, Any]

NODES = "/api/v1/nodes"
MANAGER = "bench"


class Counted(Cluster):
    """The agent's door to the API server, with what goes out by it."""

    def __init__(self, server: ApiServer) -> None:
        super().__init__(server)
        self.writes: Counter[str] = Counter()

    async def put_slice(self, body: Json) -> None:
        self.writes["slice"] += 1
        await super().put_slice(body)

    async def delete_slice(self, name: str) -> None:
        self.writes["slice"] += 1
        await super().delete_slice(name)

    async def apply_claim_status(self, body: Json) -> None:
        self.writes["claim status"] += 1
        await super().apply_claim_status(body)


class FakeHost:
    """One node and its agent."""

    def __init__(self, name: str, kinds: tuple[str, ...], server: ApiServer, folder: Path) -> None:
        self.name = name
        self._server = server
        self._door = Counted(server)
        places = Places(folder / "state", folder / "cdi", folder / "metadata")
        host = Host(name, Doors(Sysfs(on_host(kinds)), lambda: True, lambda: None), known(), places)
        self._driver = Driver(host, self._door, call_seconds=10)
        self._one = asyncio.Lock()
        self.carves = 0

    @property
    def writes(self) -> Counter[str]:
        """What the agent has written since the host was ready, by kind."""
        return self._door.writes

    async def begin(self) -> None:
        """The Node, and what is offered on it."""
        amounts = {"cpu": str(ask.CPUS), "memory": f"{4 * ask.CPUS}Gi", "pods": "1000"}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        ready = {"type": "Ready", "status": "True", "reason": "Bench", "message": "an object only"}
        stamped = {**ready, "lastHeartbeatTime": now, "lastTransitionTime": now}
        labels = {"kubernetes.io/hostname": self.name}
        node: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name, "labels": labels}}
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [stamped]}
        await self._server.create(NODES, node, MANAGER)
        await self._server.apply(f"{NODES}/{self.name}/status", {**node, "status": status}, MANAGER)
        await self.publish()
        self._door.writes.clear()

    async def end(self) -> None:
        """The Node is gone, and its slices with it."""
        await self._server.delete(f"{NODES}/{self.name}")

    async def publish(self) -> int:
        """As the agent does when something has changed, one look after the other; how much was written."""
        async with self._one:
            return await self._driver.publish()

    async def carve(self, ref: ClaimRef) -> None:
        """As kubelet asks when a Pod comes."""
        await self._driver.prepare(ref)
        self.carves += 1

    async def release(self, ref: ClaimRef) -> None:
        """As kubelet asks when a Pod has ended."""
        await self._driver.unprepare(ref)
