"""CPUs and memory of one NUMA node for one claim: what is offered, who gets which, what its container is held to."""

import json
from pathlib import Path

import pytest
from libvf_agent.claim_status import carved
from libvf_agent.errors import ClaimError
from libvf_agent.health import verdicts
from libvf_agent.journal import Phase
from libvf_agent.numa import Reserve, reserve_of

from tests.fakekernel.numa import Shape
from tests.unit.agent.cells import Bed, allocated, claim, held


def amounts(device) -> dict[str, str]:  # type: ignore[no-untyped-def]
    return {name: capacity["value"] for name, capacity in device["capacity"].items()}


def test_each_numa_node_is_one_device_that_many_share_without_the_hosts_reserve(tmp_path: Path) -> None:
    offered = Bed(tmp_path, Shape(cores=4, threads=2, pages={2048: 1024, 1048576: 1})).offered()
    assert set(offered) == {"node0", "node1"}
    first = offered["node0"]
    assert first["allowMultipleAllocations"] is True
    assert first["attributes"] == {"kind": {"string": "cell"}, "resource.kubernetes.io/numaNode": {"int": 0}}
    assert amounts(first) == {"cpus": "6", "memory": "4Gi", "hugepages2Mi": "2Gi", "hugepages1Gi": "1Gi"}
    assert {capacity["requestPolicy"]["default"] for capacity in first["capacity"].values()} == {"0"}
    assert "taints" not in first


def test_a_size_of_pages_that_the_host_has_not_is_offered_as_none(tmp_path: Path) -> None:
    assert amounts(Bed(tmp_path).offered()["node1"])["hugepages1Gi"] == "0"


def test_a_host_that_tells_no_cpus_offers_no_cell(tmp_path: Path) -> None:
    assert Bed(tmp_path, Shape(nodes=0)).offered() == {}


def test_a_claim_gets_cpus_of_its_node_and_its_container_is_held_to_them(tmp_path: Path) -> None:
    bed = Bed(tmp_path, Shape(cores=4, threads=2))
    entry = bed.prepare(1, 4, node=1, memory="2Gi")
    assert held(entry) == [5, 13, 6, 14]
    edits = bed.cdi(entry)["containerEdits"]
    [hook] = edits["hooks"]
    assert hook == {
        "hookName": "createRuntime",
        "path": "/opt/bin/libvf-hook",
        "args": ["libvf-hook", "cell", "4-6,12-14", "1"],
    }
    told = json.loads(Path(edits["mounts"][0]["hostPath"]).read_text().splitlines()[0])
    [device] = told["requests"][0]["devices"]
    assert device["attributes"] == {
        "kind": {"string": "cell"},
        "numaNode": {"int": 1},
        "cpus": {"string": "5,13,6,14"},
        "sharedCpus": {"string": "4,12"},
        "threads": {"int": 2},
    }
    assert carved(entry, "2026-01-01T00:00:00Z")[0]["data"]["memory"] == 2 << 30


def test_no_two_claims_share_a_cpu_and_what_is_given_back_is_given_again(tmp_path: Path) -> None:
    bed = Bed(tmp_path, Shape(cores=5))
    cells = [held(bed.prepare(number, 2)) for number in (1, 2)]
    assert sorted(cpu for cell in cells for cpu in cell) == [1, 2, 3, 4]
    with pytest.raises(ClaimError, match="0 of 4 CPUs of NUMA node 0 are free and 1 are wanted"):
        bed.prepare(3, 1)
    bed.host.unprepare(claim(1, 2).metadata.uid)
    assert held(bed.prepare(3, 2)) == cells[0]


def test_a_claim_keeps_its_cpus_over_a_new_agent_and_another_reserve(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    first = bed.prepare(1, 2)
    bed.host = bed.agent(Reserve(cores=3))
    assert bed.prepare(1, 2) == first
    with pytest.raises(ClaimError):
        bed.prepare(2, 2)


def test_an_agent_killed_before_it_was_done_loses_and_doubles_nothing(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    entry = bed.prepare(1, 2)
    bed.host.journal.put(entry.at(Phase.STARTED))
    bed.host = bed.agent()
    assert bed.host.recover() == []
    bed.host.journal.unlock()
    assert held(bed.prepare(2, 2)) == held(entry)
    assert set(held(bed.prepare(1, 1))).isdisjoint(held(entry))


def test_after_a_reboot_each_claim_gets_cpus_that_no_other_has(tmp_path: Path) -> None:
    bed = Bed(tmp_path, Shape(cores=5))
    for number in (1, 2):
        bed.prepare(number, 2)
    bed.kernel.reboot()
    bed.host = bed.agent()
    after = [held(bed.prepare(number, 2)) for number in (2, 1)]
    assert sorted(cpu for cell in after for cpu in cell) == [1, 2, 3, 4]


def test_a_claim_allocated_anew_on_another_node_lets_its_cpus_go(tmp_path: Path) -> None:
    bed = Bed(tmp_path, Shape(cores=3))
    bed.prepare(1, 2, node=0)
    moved = claim(1, 2, 1)
    assert set(held(bed.host.prepare(moved, moved.allocated))) == {4, 5}
    assert set(held(bed.prepare(2, 2, node=0))) == {1, 2}


@pytest.mark.parametrize("policy", ["static", "Static"])
def test_kubelets_static_cpu_manager_taints_cells_and_refuses_new_ones(tmp_path: Path, policy: str) -> None:
    bed = Bed(tmp_path)
    before = bed.prepare(1, 2)
    bed.static_policy(policy)
    assert bed.offered()["node0"]["taints"] == [{"key": "libvf.io/cpu-manager", "effect": "NoSchedule"}]
    with pytest.raises(ClaimError, match="set cpuManagerPolicy: none, remove /var/lib/kubelet/cpu_manager_state"):
        bed.prepare(2, 1)
    assert bed.prepare(1, 2) == before
    bed.static_policy("none")
    assert "taints" not in bed.offered()["node0"]


def test_a_node_that_is_gone_stays_offered_to_nobody_while_a_claim_has_some_of_it(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare(1, 2, node=1)
    bed.kernel.tree.drop("sys/devices/system/node/node1")
    lost = bed.offered()["node1"]
    assert lost["taints"] == [{"key": "libvf.io/lost", "effect": "NoSchedule"}]
    assert lost["attributes"]["kind"] == {"string": "lost"}
    with pytest.raises(ClaimError, match="no NUMA node1 any more"):
        bed.prepare(2, 1, node=1)
    bed.host.unprepare(claim(1, 2).metadata.uid)
    assert set(bed.offered()) == {"node0"}


def test_a_claim_that_floats_is_bound_to_nothing(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    wanted = allocated(1, request="cell/floating", pool="n1-kvm", device="floating")
    entry = bed.host.prepare(wanted, wanted.allocated)
    assert entry.slices[0].facts == {"kind": "floating"}
    assert "hooks" not in bed.cdi(entry)["containerEdits"]


def test_cells_that_are_held_are_healthy(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare(1, 2)
    assert [(v.device, v.healthy) for v in verdicts(bed.host)] == [("node0", True)]


def test_the_reserve_is_set_by_words(tmp_path: Path) -> None:
    assert reserve_of("cores=2 memory=4Gi") == Reserve(2, 4 << 30)
    assert reserve_of("") == Reserve()
    for wrong in ("cores=x", "threads=2", "2"):
        with pytest.raises(ValueError, match="write cores=1 memory=1Gi"):
            reserve_of(wrong)
