"""From a VirtualMachine to a carved slice: the operator with its own rights, the real scheduler, the agent's driver.

Nodes are only objects, and the cards on them are fake; so cards can be tested that nobody here owns.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.demo import condition
from tests.fakekernel.cards import mdpy, nvidia
from tests.fakekernel.mdev import Card, MediatedHost
from tests.integration.conftest import Api
from tests.integration.fakenode import Json, Node, clear, machine, operating, placed, ready, results, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def operator(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with operating(api, tmp_path_factory.mktemp("operator")):
        yield


@pytest.fixture
def nodes(api: Api, operator: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Node]]:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))

    def make(name: str, *cards: Card, numa_nodes: int = 1) -> Node:
        node = Node(api, name, tmp_path / name, MediatedHost(*cards, numa_nodes=numa_nodes))
        node.publish()
        return node

    yield make
    clear(api)


def partition(name: str, **spec: Any) -> Json:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition", "metadata": meta, "spec": spec}


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
    assert isinstance(node.kernel, MediatedHost)
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
    far = Card(
        **{
            **vars(nvidia()),
            "name": "0000:b3:00.0",
            "parents": [f"0000:b3:{n // 8:02x}.{n % 8}" for n in range(4, 20)],
            "numa_node": 1,
        }
    )
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


def test_a_full_node_with_a_slice_wins_over_an_empty_one_that_has_none(api: Api, nodes: Callable[..., Node]) -> None:
    full, empty = nodes("n1", mdpy()), nodes("n2")
    assert {full.name, empty.name} == {"n1", "n2"}
    api.apply(busy("n1", cpu="60", memory="240Gi"))
    api.apply(undemanding("desk", type="mdpy-xga"))
    claim = placed(api, "desk")
    assert (api.get("pod", "desk")["spec"]["nodeName"], results(claim)[0]["request"]) == ("n1", "gpu/any")


def test_where_no_slice_is_left_a_virtual_gpu_is_given_and_a_free_slice_is_told_of(
    api: Api, nodes: Callable[..., Node]
) -> None:
    node = nodes("n1", mdpy())
    first = {f"m{n}": undemanding(f"m{n}", type="mdpy-xga") for n in range(4)}
    api.apply(*first.values())
    for name in first:
        assert results(placed(api, name))[0]["request"] in ("gpu/any", "gpu/open")
    api.apply(undemanding("late", type="mdpy-xga"))
    claim = placed(api, "late")
    node.prepare(claim)
    [given] = results(claim)
    assert (given["request"], given["device"]) == ("gpu/virtual-gpu", "virtual-gpu")
    told = until(lambda: (c := prepared(api, "late")).get("reason") == "Fallback" and c)
    assert told["status"] == "False"
    assert "gpu0 is a virtio-gpu: all 4 slices that are mdpy-xga are in use by default/m0-gpu0" in told["message"]
    api.done("delete", "vfvm", "m0", "--wait")
    api.done("delete", "pod", "m0", "--force", "--grace-period=0", "--ignore-not-found")
    until(lambda: "restart the machine to take it" in prepared(api, "late")["message"])
    assert api.get("vfvm", "late")["status"]["gpu"] == "virtio-gpu"


def undemanding(name: str, **gpu: Any) -> Json:
    """A VirtualMachine that runs without a slice where none is left."""
    declared = machine(name, **gpu)
    declared["spec"]["graphics"] = {"fallback": "VirtioGpu"}
    return declared


def prepared(api: Api, name: str) -> Json:
    """The condition GpuPrepared."""
    return dict(condition(api.get("vfvm", name), "GpuPrepared"))


def busy(node: str, **amounts: str) -> Json:
    """A Pod that takes most of a node."""
    container = {"name": "busy", "image": "none", "resources": {"requests": amounts}}
    spec = {"nodeName": node, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "busy", "namespace": "default"}, "spec": spec}
