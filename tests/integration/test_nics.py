"""From spec.nics to functions of network cards: the operator, the real scheduler, the agent's driver."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakekernel.network import Ethernet
from tests.fakekernel.pci import Function, PciHost
from tests.integration.conftest import Api
from tests.integration.fakenode import Json, Node, clear, operating, placed, ready, results, until

pytestmark = pytest.mark.integration

IGB, MLX = "0000:02:00.0", "0000:65:00.0"
MAC = "52:54:00:12:34:56"


@pytest.fixture(scope="module")
def operator(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with operating(api, tmp_path_factory.mktemp("operator")):
        yield


@pytest.fixture
def node(api: Api, operator: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node with two network cards of different makers and an accelerator, all of them to be cut in two."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    named = {"addresses": [IGB, MLX]}
    api.apply(policy("networks", named), policy("accelerators", {"class": "Accelerator"}))
    made = Node(api, "n1", tmp_path, PciHost(*cards()))
    made.publish()
    yield made
    clear(api)


def cards() -> list[Function]:
    vfs: dict[str, Any] = {"total_vfs": 4, "offset": 16}
    nic = {"class_code": "020000", **vfs}
    igb = Function(IGB, "8086:10c9", native="igb", vf_id="8086:10ca", network=Ethernet("eth1"), **nic)
    mlx = Function(MLX, "15b3:1017", native="mlx5_core", vf_id="15b3:1018", network=Ethernet("eth2"), **nic)
    return [igb, mlx, Function("0000:b3:00.0", native="amdgpu", vf_id="1002:74b5", **vfs)]


def policy(name: str, cards: Json) -> Json:
    spec = {"cards": cards, "modes": ["VirtualFunction"], "virtualFunctions": {"count": 2}}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": {"name": name}, "spec": spec}


def machine(name: str, *nics: Json, **spec: Any) -> Json:
    body = {"memory": {"size": "1Gi"}, "nics": list(nics), **spec}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "VirtualMachine", "metadata": meta, "spec": body}


def given(api: Api, name: str, nic: str = "fast") -> Json:
    """The claim of a VM's function, allocated."""
    return placed(api, name, f"{name}-nic-{nic}")


def told(api: Api, claim: str) -> Json:
    """What the claim's status says of its one device."""
    [device] = api.get("resourceclaim", claim)["status"]["devices"]
    return dict(device)


def test_machines_get_functions_of_the_card_they_name_each_its_own_with_the_address_they_ask(
    api: Api, node: Node
) -> None:
    api.apply(machine("a", {"name": "fast", "device": "15b3:1017", "mac": MAC}))
    api.apply(machine("b", {"name": "fast", "device": "15b3:1017"}))
    for name in ("a", "b"):
        node.prepare(given(api, name))
    assert {result["pool"] for name in "ab" for result in results(given(api, name))} == {"n1-0000-65-00-0"}
    first, second = told(api, "a-nic-fast"), told(api, "b-nic-fast")
    assert first["data"]["pciAddress"] != second["data"]["pciAddress"]
    assert first["networkData"] == {"hardwareAddress": MAC}
    own = second["networkData"]["hardwareAddress"]
    assert sorted(node.kernel.macs("eth2")) == sorted([MAC, own])
    until(lambda: prepared(api, "a") == prepared(api, "b") == "True")


def prepared(api: Api, name: str) -> str:
    conditions = api.get("vfvm", name).get("status", {}).get("conditions", [])
    return next((c["status"] for c in conditions if c["type"] == "DevicesPrepared"), "")


def test_a_machine_that_finds_no_function_left_says_who_has_them_and_gets_the_one_that_is_given_back(
    api: Api, node: Node
) -> None:
    wanted = {"name": "fast", "device": "8086:10c9"}
    api.apply(machine("a", wanted, {**wanted, "name": "slow"}))
    first, second = given(api, "a"), given(api, "a", "slow")
    node.prepare(first)
    node.prepare(second)
    api.apply(machine("late", wanted))
    said = until(lambda: (c := ready(api, "vfvm", "late")).get("reason") == "Unschedulable" and c)["message"]
    assert "all 2 functions of network cards 8086:10c9 are in use by default/a-nic-fast, default/a-nic-slow" in said
    api.done("delete", "vfvm", "a", "--wait")
    api.done("delete", "pod", "a", "--force", "--grace-period=0", "--ignore-not-found")
    node.unprepare(first)
    node.unprepare(second)
    assert node.kernel.macs("eth1") == []
    assert results(given(api, "late"))


def test_a_card_that_nobody_has_is_told_with_those_that_are_there(api: Api, node: Node) -> None:
    api.apply(machine("a", {"name": "fast", "device": "1924:0a03"}))
    said = until(lambda: (c := ready(api, "vfvm", "a")).get("reason") == "Unschedulable" and c)["message"]
    assert "no node offers functions of network cards 1924:0a03" in said
    assert "15b3:1017, 8086:10c9" in said


def test_a_gpu_is_never_a_network_card_and_a_nic_never_a_gpu(api: Api, node: Node) -> None:
    """The accelerator has two functions, the network cards four: as many as fit are given, and no other."""
    for number in range(3):
        api.apply(machine(f"gpu{number}", gpus=[{"name": "gpu0", "mode": "VirtualFunction"}]))
    for number in range(2):
        pools = {result["pool"] for result in results(placed(api, f"gpu{number}", f"gpu{number}-gpu0"))}
        assert pools == {"n1-0000-b3-00-0"}
    said = until(lambda: (c := ready(api, "vfvm", "gpu2")).get("reason") == "Unschedulable" and c)["message"]
    assert "all 2 slices that are any slice are in use by" in said
    api.apply(machine("nics", *({"name": f"n{n}"} for n in range(4))))
    pools = {result["pool"] for n in range(4) for result in results(given(api, "nics", f"n{n}"))}
    assert pools == {"n1-0000-02-00-0", "n1-0000-65-00-0"}
