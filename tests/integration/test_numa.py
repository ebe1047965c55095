"""Machines that ask for one NUMA node: placed by the real scheduler from what fake agents publish, and told of."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakekernel import numa
from tests.fakekernel.cards import nvidia
from tests.fakekernel.mdev import Card, MediatedHost
from tests.fakekernel.numa import Shape
from tests.integration.conftest import Api
from tests.integration.fakenode import Json, Node, clear, machine, operating, placed, ready, results, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def operator(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with operating(api, tmp_path_factory.mktemp("operator")):
        yield


@pytest.fixture
def host(api: Api, operator: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Node]]:
    """Node n1 with two NUMA nodes, whose agent keeps one core of each."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))

    def make(cores: int, *cards: Card) -> Node:
        kernel = MediatedHost(*cards, numa_nodes=2)
        numa.put(kernel, Shape(cores=cores))
        node = Node(api, "n1", tmp_path / "n1", kernel)
        node.publish()
        return node

    yield make
    clear(api)


def far() -> Card:
    """A card like nvidia(), on NUMA node 1."""
    parents = [f"0000:b3:{n // 8:02x}.{n % 8}" for n in range(4, 20)]
    return replace(nvidia(), name="0000:b3:00.0", parents=parents, numa_node=1)


def wants(name: str, cores: int, policy: str = "Aligned", **spec: Any) -> Json:
    found = machine(name, vram={"min": "1Gi", "max": "1Gi"})
    found["spec"] |= {"cpu": {"cores": cores}, "numa": {"policy": policy}, **spec}
    return found


def by_request(claim: Json) -> dict[str, Json]:
    """The allocated devices by request, without the subrequest."""
    return {result["request"].partition("/")[0]: result for result in results(claim)}


def aligned(api: Api, name: str) -> tuple[str, str, str]:
    conditions = api.get("vfvm", name).get("status", {}).get("conditions", [])
    found = next((c for c in conditions if c["type"] == "NumaAligned"), {})
    return found.get("status", ""), found.get("reason", ""), found.get("message", "")


def waits(api: Api, name: str) -> str:
    """What is said of a machine that cannot be placed, once more is said than the scheduler does."""

    def said() -> str:
        found = ready(api, "vfvm", name)
        return found["message"] if found.get("reason") == "Unschedulable" and "NUMA" in found["message"] else ""

    return str(until(said))


def prefer(api: Api, name: str) -> None:
    patch = json.dumps({"spec": {"numa": {"policy": "Preferred"}}})
    api.done("patch", "vfvm", name, "--type=merge", "-p", patch)


def test_eight_are_each_on_one_numa_node_and_the_ninth_waits_until_it_may_be_on_two(
    api: Api, host: Callable[..., Node]
) -> None:
    node, names = host(6, nvidia(), far()), [f"m{number}" for number in range(8)]
    # each node has memory for four of these, and then a CPU is left
    api.apply(*(wants(name, 1, memory={"size": "1536Mi"}) for name in names))
    where: Counter[str] = Counter()
    for name in names:
        claim = placed(api, name)
        cell, gpu = by_request(claim)["cell"], by_request(claim)["gpu"]
        assert cell["consumedCapacity"]["cpus"] == "1"
        assert gpu["pool"] == {"node0": "n1-0000-65-00-0", "node1": "n1-0000-b3-00-0"}[cell["device"]]
        where[cell["device"]] += 1
        node.prepare(claim)
    assert where == {"node0": 4, "node1": 4}
    until(lambda: all(aligned(api, name)[1] == "NotSeen" for name in names))
    assert len({api.get("vfvm", name)["status"]["numa"]["cpus"] for name in names}) == len(names)

    api.apply(wants("ninth", 2, memory={"size": "16Mi"}))
    words = waits(api, "ninth")
    assert "n1 NUMA node 0: 1 of 5 CPUs free; n1 NUMA node 1: 1 of 5 CPUs free" in words
    assert "it fits only across two NUMA nodes of n1: numa.policy Preferred runs it there" in words
    prefer(api, "ninth")
    claim = placed(api, "ninth")
    assert by_request(claim)["cell"]["request"] == "cell/floating"
    node.prepare(claim)
    until(lambda: aligned(api, "ninth")[:2] == ("False", "NotBound"))


def test_one_that_fits_only_across_two_runs_under_preferred_without_a_cell(api: Api, host: Callable[..., Node]) -> None:
    node = host(3, nvidia(), far())
    for name, cores, room in (("first", 1, "node0"), ("second", 2, "node1")):
        api.apply(wants(name, cores))
        assert by_request(placed(api, name))["cell"]["device"] == room
    api.apply(wants("third", 2))
    assert "only across two" not in waits(api, "third")  # one CPU is left
    api.apply(wants("ninth", 1), wants("preferred", 2, "Preferred"))
    node.prepare(placed(api, "ninth"))
    claim = placed(api, "preferred")
    assert by_request(claim)["cell"]["request"] == "cell/floating"
    assert by_request(claim)["gpu"]["request"].endswith("-apart")
    node.prepare(claim)
    until(lambda: aligned(api, "preferred")[:2] == ("False", "NotBound"))
    prefer(api, "third")
    assert by_request(placed(api, "third"))["cell"]["request"] == "cell/floating"


def test_a_gpu_on_another_node_is_taken_where_it_is_only_preferred_and_that_is_said(
    api: Api, host: Callable[..., Node]
) -> None:
    node = host(3, nvidia())
    api.apply(wants("first", 2))
    assert by_request(placed(api, "first"))["cell"]["device"] == "node0"
    api.apply(wants("second", 2))
    words = waits(api, "second")
    api.apply(wants("third", 2, "Preferred"))
    assert "n1 NUMA node 0: 0 of 2 CPUs free; n1 NUMA node 1: no free slice that would do" in words
    claim = placed(api, "third")
    found = by_request(claim)
    assert (found["cell"]["request"], found["cell"]["device"]) == ("cell/bound", "node1")
    assert found["gpu"]["request"].endswith("-apart")
    node.prepare(claim)
    until(lambda: aligned(api, "third")[1] == "GpuApart")
    assert "its CPUs and memory are on NUMA node 1 and its GPU is on NUMA node 0" in aligned(api, "third")[2]


def test_what_is_preferred_is_on_one_node_where_one_has_it_all(api: Api, host: Callable[..., Node]) -> None:
    host(3, nvidia())
    api.apply(wants("desk", 2, "Preferred"))
    found = by_request(placed(api, "desk"))
    assert (found["cell"]["request"], found["cell"]["device"]) == ("cell/bound", "node0")
    assert found["gpu"]["request"] == "gpu/any"


def test_it_is_aligned_when_its_agent_has_seen_that_in_proc(api: Api, host: Callable[..., Node]) -> None:
    node = host(6, far())
    api.apply(wants("desk", 2))
    node.prepare(placed(api, "desk"))
    until(lambda: aligned(api, "desk")[1] == "NotSeen")
    cpus = api.get("vfvm", "desk")["status"]["numa"]["cpus"].split(",")
    _runs(node, api.get("pod", "desk")["metadata"]["uid"], cpus)
    node.look()
    until(lambda: aligned(api, "desk")[:2] == ("True", "Seen"))
    assert f"GPU, CPUs {', '.join(cpus)} and 100Mi of memory are on NUMA node 1" in aligned(api, "desk")[2]
    assert api.get("vfvm", "desk")["status"]["numa"]["memory"] == [{"node": 1, "size": "100Mi"}]


def test_a_machine_without_gpus_is_on_one_numa_node_too(api: Api, host: Callable[..., Node]) -> None:
    node = host(3)
    api.apply(wants("desk", 2, gpus=[]), wants("large", 3, gpus=[]))
    claim = placed(api, "desk", "desk-cell")
    node.prepare(claim)
    until(lambda: aligned(api, "desk")[1] == "NotSeen")
    assert "no NUMA node has 3 CPUs" in waits(api, "large")


def test_a_node_whose_kubelet_pins_by_itself_gets_none(api: Api, host: Callable[..., Node]) -> None:
    node = host(6, nvidia())
    node.kernel.tree.text("proc/1/root/var/lib/kubelet/cpu_manager_state", '{"policyName": "static"}')
    node.publish()
    api.apply(wants("desk", 1))
    assert "n1 NUMA node 0: is kubelet's own to hand out" in waits(api, "desk")


def _runs(node: Node, pod: str, cpus: list[str]) -> None:
    """Its QEMU, as the node's kernel shows it."""
    files = {
        "comm": "qemu-system-x86",
        "cgroup": f"0::/kubepods.slice/kubepods-burstable-pod{pod.replace('-', '_')}.slice/cri-containerd-0.scope",
        "status": "VmRSS:\t 102400 kB",
        "numa_maps": "7f00 default anon=25600 dirty=25600 N1=25600 kernelpagesize_kB=4",
    }
    for number, cpu in enumerate(cpus):
        files[f"task/{number + 1}/comm"] = f"CPU {number}/KVM"
        files[f"task/{number + 1}/status"] = f"Cpus_allowed_list:\t{cpu}"
    for name, text in files.items():
        node.kernel.tree.text(f"proc/77/{name}", text)
