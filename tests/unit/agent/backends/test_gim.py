"""AMD's GIM: functions that the driver makes when it is loaded, as many as its vf_num says."""

from __future__ import annotations

from pathlib import Path

import pytest
from libvf_agent.errors import Full
from libvf_agent.rules import RulesOf, careful

from tests.fakekernel.pci import Function, PciHost
from tests.fakekernel.situations import PF, rules
from tests.unit.agent.claiming import Claiming


def machine(folder: Path, of: RulesOf = careful, functions: int = 8) -> Claiming:
    """An MI300X whose GIM was loaded with vf_num=8."""
    gim = {"native": "gim", "total_vfs": 8, "made": functions, "offset": 16, "vf_id": "1002:74b5"}
    return Claiming(PciHost(Function(PF, **gim)), folder, of)  # type: ignore[arg-type]


def state(bed: Claiming) -> list[tuple[str, str, str]]:
    assert isinstance(bed.kernel, PciHost)
    return sorted((f.address, f.driver, f.override) for f in bed.kernel.pci.functions.values())


def test_all_functions_are_offered_as_they_are_without_any_policy(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    assert bed.names() == [f"vf-{n}" for n in range(8)]
    before = state(bed)
    given = [bed.prepare(name, name)[0]["pciAddress"] for name in bed.names()]
    assert len(set(given)) == 8
    with pytest.raises(Full, match="no free virtual function of 8"):
        bed.prepare("more", "vf-8")
    for name in bed.names():
        bed.release(name)
    assert state(bed) == before, "neither made nor taken away"


def test_a_policys_count_changes_nothing(tmp_path: Path) -> None:
    bed = machine(tmp_path, rules(functions=4))
    assert len(bed.names()) == 8
    bed.prepare("a", "vf-0")
    bed.release("a")
    assert len(bed.names()) == 8


def test_one_function_a_card_is_a_card_for_one_guest(tmp_path: Path) -> None:
    bed = machine(tmp_path, functions=1)
    assert bed.names() == ["vf-0"]
    [facts] = bed.prepare("a", "vf-0")
    assert facts["pciAddress"] != PF


def test_the_whole_card_is_not_offered_beside_its_functions(tmp_path: Path) -> None:
    assert "whole-0" not in machine(tmp_path, rules(take_from_host=True)).names()


def test_after_a_restart_of_the_node_the_driver_has_made_them_anew(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    bed.prepare("a", "vf-3")
    bed.kernel.reboot()
    bed.restart()
    [again] = bed.prepare("a", "vf-3")
    assert again["pciAddress"]
    assert len(bed.names()) == 8
