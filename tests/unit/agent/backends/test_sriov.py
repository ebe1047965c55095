"""Cards cut into virtual functions: what is offered, what a claim makes, what goes with the last one."""

from __future__ import annotations

from pathlib import Path

import pytest
from libvf_agent.errors import Full
from libvf_agent.rules import RulesOf, careful

from tests.fakekernel.pci import Function, PciHost
from tests.fakekernel.situations import PF, amd, rules
from tests.unit.agent.claiming import Claiming

FOUR = rules(functions=4, take_from_host=True)


def machine(folder: Path, of: RulesOf = FOUR, *functions: Function) -> Claiming:
    return Claiming(PciHost(*(functions or (amd(),))), folder, of)


def vfs(machine: Claiming, address: str = PF) -> list[str]:
    assert isinstance(machine.kernel, PciHost)
    return machine.kernel.pci.functions[address].vfs


def driver(machine: Claiming, address: str) -> str:
    assert isinstance(machine.kernel, PciHost)
    return machine.kernel.pci.functions[address].driver


def test_a_card_without_a_policy_and_without_functions_is_left_alone(tmp_path: Path) -> None:
    assert machine(tmp_path, careful).names() == []


def test_functions_that_the_administrator_has_made_are_offered_as_they_are(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful)
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_drivers_autoprobe", "0")
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_numvfs", "2")
    assert bed.names() == ["vf-0", "vf-1"]
    [only] = bed.prepare("a", "vf-0")
    assert driver(bed, str(only["pciAddress"])) == "vfio-pci"
    bed.release("a")
    assert len(vfs(bed)) == 2, "what was not made by us is never removed"
    assert driver(bed, str(only["pciAddress"])) == ""


def test_the_first_claim_makes_the_functions_and_the_last_one_takes_them_away(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    assert vfs(bed) == []
    [first] = bed.prepare("a", "vf-0")
    [second] = bed.prepare("b", "vf-1")
    assert len(vfs(bed)) == 4
    assert first["pciAddress"] != second["pciAddress"]
    bed.release("a")
    assert len(vfs(bed)) == 4
    bed.release("b")
    assert vfs(bed) == []
    assert driver(bed, PF) == "amdgpu"


def test_a_claim_of_two_gets_two_functions(tmp_path: Path) -> None:
    found = machine(tmp_path).prepare("a", "vf-0", "vf-1")
    assert len({facts["pciAddress"] for facts in found}) == 2
    assert len({facts["iommuGroup"] for facts in found}) == 2


def test_new_functions_are_never_taken_by_the_hosts_own_driver(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    bed.prepare("a", "vf-0")
    assert {driver(bed, vf) for vf in vfs(bed)} == {"", "vfio-pci"}


def test_a_policy_never_makes_more_functions_than_a_card_can_have(tmp_path: Path) -> None:
    assert len([n for n in machine(tmp_path, rules(functions=99)).names() if n.startswith("vf-")]) == 8


def test_a_function_that_the_host_works_with_is_not_given_away(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful)
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_numvfs", "2")  # with autoprobe: amdgpu has them
    assert bed.counters() == {"vfs": 0}
    with pytest.raises(Full, match="no free virtual function of 2"):
        bed.prepare("a", "vf-0")


def test_a_function_that_a_stranger_has_open_counts_as_taken(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful)
    assert isinstance(bed.kernel, PciHost)
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_drivers_autoprobe", "0")
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_numvfs", "2")
    taken = vfs(bed)[0]
    bed.kernel.write(f"sys/bus/pci/devices/{taken}/driver_override", "vfio-pci")
    bed.kernel.write("sys/bus/pci/drivers_probe", taken)
    assert bed.counters() == {"vfs": 2}, "on VFIO and idle is ready to be used"
    bed.kernel.pci.open(taken)
    assert bed.counters() == {"vfs": 1}
    [given] = bed.prepare("a", "vf-0")
    assert given["pciAddress"] != taken


def test_functions_we_made_stay_while_a_stranger_works_with_one(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    bed.prepare("a", "vf-0")
    strangers = bed.stranger(PF)
    bed.release("a")
    assert len(vfs(bed)) == 4
    assert driver(bed, strangers) == "vfio-pci"
    bed.restart()
    assert len(vfs(bed)) == 4
    bed.kernel.close()
    bed.restart()
    assert vfs(bed) == [], "what was made by us is removed when nobody works on it any more"


def test_functions_that_stayed_for_a_stranger_serve_the_next_claim(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    bed.prepare("a", "vf-0")
    bed.stranger(PF)
    bed.release("a")
    bed.prepare("b", "vf-0")
    bed.kernel.close()
    bed.restart()
    assert len(vfs(bed)) == 4
    bed.release("b")
    assert vfs(bed) == []


def test_the_whole_card_and_its_functions_are_one_pool_and_exclude_each_other(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    assert bed.names() == ["vf-0", "vf-1", "vf-2", "vf-3", "whole-0"]
    assert bed.fit("vf-0", "vf-1", "vf-2", "vf-3")
    assert not bed.fit("vf-0", "whole-0")


def test_a_card_of_another_class_is_touched_only_where_a_policy_names_it(tmp_path: Path) -> None:
    disk = Function(PF, "1b36:0010", "010802", native="nvme", total_vfs=4)
    bed = machine(tmp_path, careful, disk)
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_numvfs", "2")
    assert bed.names() == []
    assert machine(tmp_path / "named", FOUR, disk).names()[0] == "vf-0"


def test_what_a_policy_no_longer_allows_stays_offered_while_it_is_in_use(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    bed.prepare("a", "vf-2")
    bed.rules(rules(functions=4, modes=frozenset({"Passthrough"})))
    assert bed.names() == ["vf-2"]
    assert bed.taints("vf-2") == {"libvf.io/excluded": "NoSchedule"}


def test_a_card_that_fell_off_the_bus_is_published_as_lost_while_it_is_claimed(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    bed.prepare("a", "vf-0")
    assert isinstance(bed.kernel, PciHost)
    bed.kernel.pci.lose(PF)
    assert bed.names() == ["vf-0"]
    assert bed.taints("vf-0") == {"libvf.io/lost": "NoExecute"}
    bed.release("a")
    assert bed.names() == []
