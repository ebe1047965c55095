"""What tests with the real API server and scheduler stand on: nodes that are only objects, with the agent's driver on
a fake kernel; the operator's program; and words for looking at what becomes of it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from libvf_agent.backends.known import known
from libvf_agent.claims import ClaimRef
from libvf_agent.cluster import Cluster
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.host import Host, Places
from libvf_agent.sysfs import Sysfs

from lab.loopback import Api, operator
from tests.fakekernel.host import FakeHost
from tests.ports import free_port

Json = dict[str, Any]


class Node:
    """A node that is only an object, and the agent's driver on a fake kernel; `given` are words for its Host."""

    def __init__(self, api: Api, name: str, folder: Path, kernel: FakeHost, **given: Any) -> None:
        self.name = name
        self.kernel = kernel
        places = Places(folder / "state", folder / "cdi", folder / "metadata")
        found = {"accelerated": lambda: True, "tap": lambda: None, **given}
        self._host = Host(name, Doors(Sysfs(self.kernel), **found), known(), places)
        amounts = {"cpu": "64", "memory": "256Gi", "pods": "110"}
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [_condition("Ready")]}
        api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"lab": "fake"}}})
        api.done("patch", "node", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
        api.done("patch", "node", name, "--type=merge", "-p", '{"spec": {"taints": null}}')

    def publish(self) -> None:
        """As the agent does after each change."""
        asyncio.run(self._driven(lambda driver: driver.publish()))

    def prepare(self, claim: Json) -> None:
        """As kubelet asks when a Pod comes; then what is offered has changed."""
        asyncio.run(self._driven(lambda driver: driver.prepare(_ref(claim))))
        self.publish()

    def unprepare(self, claim: Json) -> None:
        """As kubelet asks when a Pod has gone."""
        asyncio.run(self._driven(lambda driver: driver.unprepare(_ref(claim))))
        self.publish()

    def look(self) -> None:
        """As the agent does now and then: where machines are that are held to a NUMA node; two glances make it sure."""
        asyncio.run(self._driven(_glances))

    async def _driven(self, action: Callable[[Driver], Any]) -> None:
        cluster = await Cluster.connect()
        try:
            await action(Driver(self._host, cluster, call_seconds=5))
        finally:
            await cluster.close()


async def _glances(driver: Driver) -> None:
    for _ in range(2):
        await driver.whereabouts.look()


@contextmanager
def operating(api: Api, folder: Path) -> Iterator[None]:
    """The operator's program under its own service account, with just the rights of the manifests."""
    with operator(api, folder, free_port()):
        yield


def machine(name: str, **gpu: Any) -> Json:
    """A VirtualMachine with one slice."""
    spec = {"memory": {"size": "1Gi"}, "gpus": [{"name": "gpu0", **gpu}]}
    return {
        "apiVersion": "libvf.io/v1alpha1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    """Look again and again until there is something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
    return found


def placed(api: Api, name: str, claim_name: str = "") -> Json:
    """A VM's first claim, once the scheduler has allocated it and placed the Pod."""
    wanted = claim_name or f"{name}-gpu0"
    claim = until(lambda: (c := api.get("resourceclaim", wanted)).get("status", {}).get("allocation") and c)
    until(lambda: api.get("pod", name).get("spec", {}).get("nodeName"))
    return dict(claim)


def results(claim: Json) -> list[Json]:
    """The allocated devices."""
    return list(claim["status"]["allocation"]["devices"]["results"])


def ready(api: Api, kind: str, name: str) -> Json:
    """The condition Ready; empty where there is none yet."""
    conditions = api.get(kind, name).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "Ready"), {})


def clear(api: Api) -> None:
    """Nothing of a test is left for the next one."""
    api.done("delete", "vfvm,gpart,gpol", "--all", "--wait")
    api.done("delete", "pods", "--all", "--force", "--grace-period=0")
    api.done("delete", "nodes,resourceslices,resourceclaims", "--all", "--wait")


def _ref(claim: Json) -> ClaimRef:
    meta = claim["metadata"]
    return ClaimRef(meta["namespace"], meta["name"], meta["uid"])


def _condition(kind: str) -> Json:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"type": kind, "status": "True", "reason": "Lab", "lastHeartbeatTime": now, "lastTransitionTime": now}
