"""From a VirtualMachine to a carved slice: the operator with its own rights, the real scheduler, the agent's driver.

Nodes are only objects, and the cards on them are fake; so cards can be tested that nobody here owns.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from libvf_agent.backends.known import known
from libvf_agent.claims import ClaimRef
from libvf_agent.cluster import Cluster
from libvf_agent.driver import Driver
from libvf_agent.host import Host, Places
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.cards import mdpy, nvidia
from tests.fakekernel.mdev import Card, MediatedHost
from tests.integration.conftest import Api

pytestmark = pytest.mark.integration

Json = dict[str, Any]


class Node:
    """A node that is only an object, and the agent's driver on a fake kernel with these cards."""

    def __init__(self, api: Api, name: str, folder: Path, *cards: Card, numa_nodes: int = 1) -> None:
        self.name = name
        self.kernel = MediatedHost(*cards, numa_nodes=numa_nodes)
        places = Places(folder / "state", folder / "cdi", folder / "metadata")
        self._host = Host(name, Sysfs(self.kernel), known(), places, accelerated=lambda: True)
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
        meta = claim["metadata"]
        ref = ClaimRef(meta["namespace"], meta["name"], meta["uid"])
        asyncio.run(self._driven(lambda driver: driver.prepare(ref)))
        self.publish()

    async def _driven(self, action: Callable[[Driver], Any]) -> None:
        cluster = await Cluster.connect()
        try:
            await action(Driver(self._host, cluster, call_seconds=5))
        finally:
            await cluster.close()


@pytest.fixture(scope="module")
def operator(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The operator's program under its own service account, with just the rights of the manifests."""
    folder = tmp_path_factory.mktemp("operator")
    token = api.done("-n", "libvf-system", "create", "token", "libvf-operator").strip()
    settings = yaml.safe_load(api.kubeconfig.read_text())
    settings["users"][0]["user"] = {"token": token}
    (folder / "kubeconfig").write_text(yaml.safe_dump(settings))
    environment = {
        **os.environ,
        "KUBECONFIG": str(folder / "kubeconfig"),
        "LIBVF_LIVENESS": "http://127.0.0.1:18080/healthz",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "libvf_operator"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    yield
    assert process.poll() is None, (folder / "log").read_text()[-3000:]
    process.terminate()
    process.wait(30)
    assert "forbidden" not in (folder / "log").read_text()


@pytest.fixture
def nodes(api: Api, operator: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Node]]:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))

    def make(name: str, *cards: Card, numa_nodes: int = 1) -> Node:
        node = Node(api, name, tmp_path / name, *cards, numa_nodes=numa_nodes)
        node.publish()
        return node

    yield make
    api.done("delete", "vfvm,gpart", "--all", "--wait")
    api.done("delete", "pods", "--all", "--force", "--grace-period=0")
    api.done("delete", "nodes,resourceslices,resourceclaims", "--all", "--wait")


def machine(name: str, **gpu: Any) -> Json:
    spec = {"memory": {"size": "1Gi"}, "gpus": [{"name": "gpu0", **gpu}]}
    return {
        "apiVersion": "libvf.io/v1alpha1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def partition(name: str, **spec: Any) -> Json:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition", "metadata": meta, "spec": spec}


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
    return list(claim["status"]["allocation"]["devices"]["results"])


def ready(api: Api, kind: str, name: str) -> Json:
    conditions = api.get(kind, name).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == "Ready"), {})


def _condition(kind: str) -> Json:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"type": kind, "status": "True", "reason": "Lab", "lastHeartbeatTime": now, "lastTransitionTime": now}


def test_a_range_of_memory_takes_the_smallest_type_that_fits_and_the_partition_tells_what_it_became(
    api: Api, nodes: Callable[..., Node]
) -> None:
    node = nodes("n1", nvidia())
    api.apply(machine("desk", vram={"min": "1500Mi", "max": "8Gi"}))
    claim = placed(api, "desk")
    node.prepare(claim)
    until(lambda: ready(api, "gpart", "desk-gpu0").get("status") == "True")
    status = api.get("gpart", "desk-gpu0")["status"]
    [device] = status["devices"]
    assert (device["vram"], device["parent"], status["node"]) == ("2Gi", "0000:65:00.0", "n1")
    assert device["mdevUUID"] in node.kernel.mdev.devices
    assert status["consumer"] == "VirtualMachine/desk"


def test_a_card_already_cut_in_the_size_is_taken_before_an_empty_one(api: Api, nodes: Callable[..., Node]) -> None:
    machines = {name: nodes(name, nvidia()) for name in ("n1", "n2")}
    homes = []
    for name in ("a", "b", "c"):
        api.apply(machine(name, vram={"min": "4Gi", "max": "4Gi"}))
        claim = placed(api, name)
        home = api.get("pod", name)["spec"]["nodeName"]
        machines[home].prepare(claim)
        homes.append(home)
    assert len(set(homes)) == 1
    assert {result["request"] for result in results(placed(api, "c"))} == {"gpu/open"}


def test_a_card_of_one_size_at_a_time_is_never_asked_for_another(api: Api, nodes: Callable[..., Node]) -> None:
    node = nodes("n1", nvidia())
    api.apply(machine("small", vram={"max": "1Gi"}))
    node.prepare(placed(api, "small"))
    api.apply(machine("large", vram={"min": "8Gi", "max": "8Gi"}))
    told = until(lambda: (c := ready(api, "vfvm", "large")).get("reason") == "Unschedulable" and c)
    assert "has 2 of 2 unallocated" in told["message"]
    api.done("delete", "vfvm", "small", "--wait")
    api.done("delete", "pod", "small", "--force", "--grace-period=0", "--ignore-not-found")
    assert results(placed(api, "large"))


def test_several_slices_come_from_one_numa_node(api: Api, nodes: Callable[..., Node]) -> None:
    far = Card(**{**vars(nvidia()), "name": "0000:b3:00.0", "parents": ["0000:b3:00.4"], "numa_node": 1})
    node = nodes("n1", far, nvidia())
    # of four on each node one is gone: three and three are left, so a fourth is on the other node
    api.apply(partition("first", vram={"min": "4Gi", "max": "4Gi"}), machine("first", partitionRef="first"))
    node.prepare(placed(api, "first", "first"))
    api.apply(partition("four", vram={"min": "4Gi", "max": "4Gi"}, count=4), machine("four", partitionRef="four"))
    claim = placed(api, "four", "four")
    [taken] = results(placed(api, "first", "first"))
    assert len(results(claim)) == 4
    assert {result["pool"] for result in results(claim)} == {"n1-0000-65-00-0", "n1-0000-b3-00-0"} - {taken["pool"]}


def test_several_slices_of_cards_that_know_no_numa_node_are_given_all_the_same(
    api: Api, nodes: Callable[..., Node]
) -> None:
    nodes("n1", mdpy(), numa_nodes=2)
    api.apply(partition("pair", type="mdpy-*", count=2), machine("pair", partitionRef="pair"))
    claim = placed(api, "pair", "pair")
    assert len(results(claim)) == 2
    assert {result["request"] for result in results(claim)} == {"gpu/anywhere"}


def test_a_card_can_be_asked_for_by_its_pci_id(api: Api, nodes: Callable[..., Node]) -> None:
    nodes("n1", mdpy())
    nodes("n2", nvidia())
    api.apply(machine("desk", device="10de:25b6"), machine("none", device="1002:0001"))
    placed(api, "desk")
    assert api.get("pod", "desk")["spec"]["nodeName"] == "n2"
    told = until(lambda: (c := ready(api, "vfvm", "none")).get("reason") == "Unschedulable" and c)
    assert "mdpy-xga is of device unknown" in told["message"]


def test_deleting_a_machine_that_was_never_placed_leaves_nothing(api: Api, nodes: Callable[..., Node]) -> None:
    nodes("n1", mdpy())
    api.apply(machine("desk", type="nvidia-*"))
    until(lambda: api.get("pod", "desk"))
    api.done("delete", "vfvm", "desk", "--wait")
    until(lambda: not api.done("get", "vfvm,gpart,resourceclaims,pods", "-o", "name").strip())
