"""A policy that changes while something is in use: nothing is disturbed, and it takes effect when that has gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from libvf_agent.errors import ClaimError
from libvf_agent.holding import Device, Held, in_force
from libvf_agent.journal import Slice
from libvf_agent.rules import Rules
from libvf_agent.steps import Plan, Reads, Run
from libvf_api.policy_report import CardReport, Reason

from tests.fakekernel.cards import nvidia
from tests.fakekernel.mdev import MediatedHost
from tests.fakekernel.pci import Function, PciHost
from tests.fakekernel.situations import PF, desktop
from tests.unit.agent.ruled import FUNCTIONS, WHOLE, Ruled, ruled


def test_another_number_of_functions_waits_for_the_claims_that_have_some_and_then_takes_effect(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.bed.prepare("desk-gpu0", "vf-1")
    assert host.told() == CardReport(PF, True, Reason.IN_FORCE)
    host.becomes(p={**FUNCTIONS, "virtualFunctions": {"count": 8}})
    assert len(host.bed.names()) == 4
    told = host.told()
    assert (told.effective, told.reason, told.claims) == (False, Reason.WAITING, ("ns/desk-gpu0",))
    assert told.message == f"waits for ns/desk-gpu0 on n1 {PF}: 1 virtual function in use"
    host.bed.release("desk-gpu0")
    assert len(host.bed.names()) == 8
    assert host.told().reason is Reason.IN_FORCE
    host.bed.prepare("other", "vf-7")
    assert len(host.made()) == 8


def test_all_claims_of_a_card_that_is_to_be_cut_in_another_way_are_named(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.bed.prepare("a", "vf-0", "vf-1")
    host.bed.prepare("b", "vf-2")
    host.becomes(p={**FUNCTIONS, "reserve": {"vram": "1Gi"}})
    assert host.told().message == f"waits for ns/a, ns/b on n1 {PF}: 3 virtual functions in use"


def test_another_agent_knows_what_devices_were_made_under(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.bed.prepare("a", "vf-1")
    host.becomes(p={**FUNCTIONS, "virtualFunctions": {"count": 8}})
    host.bed.restart()
    assert len(host.bed.names()) == 4
    assert host.told().reason is Reason.WAITING


def test_after_a_reboot_a_claim_gets_its_devices_back_under_the_rules_it_had(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    [before] = host.bed.prepare("a", "vf-3")
    host.becomes(p={**FUNCTIONS, "virtualFunctions": {"count": 2}})
    host.kernel.reboot()
    host.bed.restart()
    assert "vf-3" in host.bed.names()
    assert host.bed.prepare("a", "vf-3") == [before]
    assert len(host.made()) == 4
    host.bed.release("a")
    assert len(host.bed.names()) == 2


def test_a_claim_that_was_allocated_before_the_change_and_not_prepared_is_told_what_to_do(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.becomes(p=WHOLE)
    with pytest.raises(ClaimError, match="delete the claim's Pod if a policy has changed since"):
        host.bed.prepare("late", "vf-3")


def test_a_mode_that_is_not_allowed_any_more_waits_for_who_has_it_and_takes_no_one_new(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.bed.prepare("a", "vf-2")
    host.becomes(p={**FUNCTIONS, **WHOLE, "virtualFunctions": {"count": 4}})
    assert host.bed.names() == ["vf-2"]
    assert host.bed.taints("vf-2") == {"libvf.io/excluded": "NoSchedule"}
    assert host.told().message == f"waits for ns/a on n1 {PF}: 1 virtual function in use"
    host.bed.release("a")
    assert host.bed.names() == ["whole-0"]
    assert host.told() == CardReport(PF, True, Reason.IN_FORCE)


def test_a_claim_gets_back_after_a_reboot_what_is_not_allowed_any_more(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    [before] = host.bed.prepare("a", "vf-2")
    host.becomes(p=WHOLE)
    host.kernel.reboot()
    assert host.bed.prepare("a", "vf-2") == [before]
    with pytest.raises(ClaimError, match=r"policy p does not allow amd-vf .* any more: delete the claim's Pod"):
        host.bed.prepare("b", "vf-1")


def test_a_type_that_is_not_allowed_any_more_waits_for_its_own_claims_only(tmp_path: Path) -> None:
    kernel = MediatedHost(nvidia())
    host = Ruled(kernel, tmp_path)
    host.bed.prepare("small", "700-0")
    host.becomes(p={"types": ["nvidia-70[01]"]})
    assert host.told().reason is Reason.IN_FORCE
    host.becomes(p={"types": ["nvidia-708"]})
    assert host.told().message == f"waits for ns/small on n1 {PF}: 1 mediated device in use"
    assert "700-0" in host.bed.names()


def test_a_word_that_is_not_about_what_is_in_use_takes_effect_at_once(tmp_path: Path) -> None:
    host = Ruled(MediatedHost(nvidia()), tmp_path)
    host.bed.prepare("a", "700-0")
    host.becomes(p={"takeFromHost": True, "vram": "16Gi", "virtualFunctions": {"count": 4}, "parameters": {"x": 1}})
    assert host.told() == CardReport(PF, True, Reason.IN_FORCE)
    host.becomes(p={"heterogeneous": True})
    assert host.told().reason is Reason.WAITING


@pytest.mark.parametrize("after", [{"q": {"cards": {"vendor": "nvidia"}}}, {"p": {"modes": []}}, {"p": {"newer": 1}}])
def test_a_card_that_is_to_be_left_alone_is_given_back_by_its_claims_and_takes_no_one_new(
    tmp_path: Path, after: dict[str, dict[str, Any]]
) -> None:
    disk = Function(PF, "1b36:0010", "010802", native="nvme", total_vfs=4)
    host = Ruled(PciHost(disk), tmp_path, cards={"addresses": [PF]}, **FUNCTIONS)
    [before] = host.bed.prepare("a", "vf-0")
    host.becomes(**after)
    assert host.bed.names() == ["vf-0"]
    assert host.bed.taints("vf-0") == {"libvf.io/excluded": "NoSchedule"}
    assert host.bed.prepare("a", "vf-0") == [before]
    host.bed.release("a")
    assert host.made() == []
    assert host.bed.names() == []


def test_functions_that_only_a_deleted_policy_wanted_take_no_one_new_and_go_with_the_last(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.bed.prepare("a", "vf-0")
    host.becomes()
    assert host.bed.names() == ["vf-0"]
    host.bed.release("a")
    assert host.made() == []


def test_functions_that_no_policy_ever_wanted_go_on_taking_claims() -> None:
    enabled = Run(("sriov-manage", "-e", PF), Reads("numvfs", "0", None), ("sriov-manage", "-d", PF), PF, shared=True)
    plan = Plan("0000:65:00.4", PF, "nvidia-1147", "", (enabled,))
    on_card = Held(Rules(), (Device("ns/a", Slice("gpu", "pool", "1147-0", plan=plan), plan),))
    assert in_force(Rules(), on_card) == Rules()


def test_a_whole_card_stays_with_its_claim_when_nothing_may_be_taken_from_the_host_any_more(tmp_path: Path) -> None:
    host = Ruled(desktop(), tmp_path, **WHOLE)
    [before] = host.bed.prepare("a", "whole-0")
    host.becomes(p={"modes": ["Passthrough"]})
    assert host.told().message == f"waits for ns/a on n1 {PF}: 1 whole card in use"
    host.kernel.reboot()
    assert host.bed.prepare("a", "whole-0") == [before]
    host.bed.release("a")
    assert host.bed.names() == []
    assert "nouveau has it: spec.takeFromHost" in host.told().message


def test_draining_takes_no_one_new_and_says_who_is_still_there(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.bed.prepare("a", "vf-0")
    host.becomes(p={**FUNCTIONS, "drain": True})
    assert {host.bed.taints(name)["libvf.io/draining"] for name in host.bed.names()} == {"NoSchedule"}
    told = host.told()
    assert (told.effective, told.reason) == (True, Reason.DRAINING)
    assert f"still used by ns/a on n1 {PF}: 1 virtual function in use" in told.message
    host.bed.release("a")
    assert host.told().message == "nothing new comes to it, and nothing of libvf is on it"


def test_functions_of_ours_that_stay_for_a_stranger_are_waited_for_by_who_has_one_open(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.bed.prepare("a", "vf-0")
    strangers = host.stranger()
    host.bed.release("a")
    host.becomes(p={**FUNCTIONS, "virtualFunctions": {"count": 8}})
    told = host.told()
    assert (told.effective, told.reason, told.claims) == (False, Reason.WAITING, ())
    assert f"{strangers} (open in qemu-system-x86 (pid 4711)) on n1 {PF}, which libvf did not make" in told.message
    host.kernel.close()
    host.bed.restart()
    assert host.told().reason is Reason.IN_FORCE
    assert len(host.bed.names()) == 8
