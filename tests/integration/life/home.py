"""A node that is only an object, and the agent's driver on a kernel behind it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from libvf_agent.backends.known import known
from libvf_agent.claims import ClaimRef
from libvf_agent.cluster import Cluster
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.host import Host, Places
from libvf_agent.sysfs import Files, Sysfs
from libvf_api.apiserver import ApiServer

NODES = "/api/v1/nodes"
POLICIES = "/apis/libvf.io/v1alpha1/gpupolicies"
LABEL = "random-life.libvf.io/node"
MANAGER = "random-life"

Policies = Mapping[str, dict[str, Any]]


class Home:
    """One node."""

    def __init__(
        self, name: str, kernel: Files, policies: Policies, server: ApiServer, folder: Path, seconds: float = 0
    ) -> None:
        """`policies` are specs of GpuPolicies by PCI id, for this node's cards.

        `seconds` are what a call may take beside the five that it always may: a node's kernel answers slowly.
        """
        self.name = name
        self._seconds = seconds
        self.kernel = kernel
        self._server = server
        self._cluster = Cluster(server)
        self._policies = policies
        self._places = Places(folder / "state", folder / "cdi", folder / "metadata")
        self._driver = self._started()

    async def begin(self) -> None:
        """The Node, which nobody but us says is ready, and what the agent offers there."""
        amounts = {"cpu": "64", "memory": "256Gi", "pods": "1000"}
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [_ready()]}
        node: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": {LABEL: self.name}},
        }
        await self._server.create(NODES, node, MANAGER)
        await self._server.apply(f"{NODES}/{self.name}/status", {**node, "status": status}, MANAGER)
        for device, spec in self._policies.items():
            await self._server.create(POLICIES, self._policy(device, spec), MANAGER)
        await self.publish()

    async def end(self) -> None:
        """The Node is gone, and its slices with it."""
        self._driver.host.journal.unlock()
        for device, spec in self._policies.items():
            await self._server.delete(f"{POLICIES}/{self._policy(device, spec)['metadata']['name']}")
        await self._server.delete(f"{NODES}/{self.name}")

    def _policy(self, device: str, spec: dict[str, Any]) -> dict[str, Any]:
        """What a policy says of this node's cards of one kind, as an administrator writes it."""
        here = {"nodeSelector": {"matchLabels": {LABEL: self.name}}, "cards": {"devices": [device]}}
        meta = {"name": f"{self.name}-{device.replace(':', '-')}"}
        return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": meta, "spec": {**here, **spec}}

    async def restart(self) -> None:
        """The agent's process is another one, with the journal of the one before."""
        self._driver.host.journal.unlock()
        self._driver = self._started()
        await self.publish()

    async def prepare(self, ref: ClaimRef) -> None:
        """As kubelet asks when a Pod comes; then what is offered has changed."""
        await self._driver.prepare(ref)
        await self.publish()

    async def unprepare(self, ref: ClaimRef) -> None:
        """As kubelet asks when a Pod has ended."""
        await self._driver.unprepare(ref)
        await self.publish()

    async def publish(self) -> None:
        """As the agent does after each change."""
        await self._driver.publish()

    def claims(self) -> set[str]:
        """The UIDs of the claims in the agent's journal."""
        return set(self._driver.host.journal.uids())

    def _started(self) -> Driver:
        host = Host(self.name, Doors(Sysfs(self.kernel), accelerated=lambda: True), known(), self._places)
        failures = host.recover()
        assert failures == [], failures
        # nothing is tried again in the driver: a refusal that would pass by itself is to be seen
        return Driver(host, self._cluster, call_seconds=self._seconds)


def _ready() -> dict[str, str]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    stamps = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    return {"type": "Ready", "status": "True", "reason": "Lab", "message": "an object only", **stamps}
