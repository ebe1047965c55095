"""What each policy is told of each card: what others made, what is never touched, who wins and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from libvf_api.policy_report import CardReport, Reason

from tests.fakekernel.pci import PciHost
from tests.fakekernel.situations import PF, desktop
from tests.unit.agent.ruled import AUDIO, FUNCTIONS, WHOLE, Ruled, ruled

# what others made


def test_functions_that_others_made_stay_in_their_number_and_the_status_says_the_cure(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.by_hand(2)
    assert host.bed.names() == ["vf-0", "vf-1"]
    told = host.told()
    assert (told.effective, told.reason) == (False, Reason.OTHER_COUNT)
    assert f"echo 0 > /sys/bus/pci/devices/{PF}/sriov_numvfs on n1" in told.message
    host.bed.prepare("a", "vf-0")
    host.bed.release("a")
    assert len(host.made()) == 2


def test_a_card_that_others_use_otherwise_is_waited_for_by_who_has_it_open(tmp_path: Path) -> None:
    host = ruled(tmp_path)
    host.by_hand(2)
    used = host.made()[0]
    host.kernel.write(f"sys/bus/pci/devices/{used}/driver_override", "vfio-pci")
    host.kernel.write("sys/bus/pci/drivers_probe", used)
    assert isinstance(host.kernel, PciHost)
    host.kernel.pci.open(used)
    host.becomes(p=WHOLE)
    told = host.told()
    assert told.reason is Reason.WAITING
    holder = "qemu-system-x86 (pid 4711)"
    assert told.message == f"waits for {used} (open in {holder}) on n1 {PF}, which libvf did not make"
    host.kernel.close()
    assert "2 virtual functions exist" in host.told().message


# what is never touched


def test_a_card_whose_audio_function_is_excluded_is_not_handed_out_whole(tmp_path: Path) -> None:
    host = Ruled(desktop(), tmp_path, exclude=[AUDIO], **WHOLE)
    assert host.bed.names() == []
    assert f"spec.exclude of a GpuPolicy names {AUDIO}" in host.told().message
    assert host.told(card=AUDIO) == CardReport(AUDIO, True, Reason.EXCLUDED, "it is never touched")


def test_an_excluded_function_is_not_handed_out_and_the_others_are(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    host.by_hand(4)
    spared = host.made()[0]
    host.becomes(p={**FUNCTIONS, "exclude": [spared]})
    assert host.bed.counters() == {"vfs": 3}
    taken = {str(host.bed.prepare(f"c{n}", f"vf-{n}")[0]["pciAddress"]) for n in range(3)}
    assert taken == set(host.made()) - {spared}


def test_a_function_excluded_while_it_is_in_use_is_waited_for(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS)
    [facts] = host.bed.prepare("a", "vf-0")
    host.becomes(p={**FUNCTIONS, "exclude": [facts["pciAddress"]]})
    assert host.bed.prepare("a", "vf-0") == [facts]
    assert host.told().message == f"waits for ns/a on n1 {PF}: 1 virtual function in use"


def test_what_goes_with_a_card_is_given_back_with_it_when_it_was_excluded_meanwhile(tmp_path: Path) -> None:
    host = Ruled(desktop(), tmp_path, **WHOLE)
    [before] = host.bed.prepare("a", "whole-0")
    host.becomes(p={**WHOLE, "exclude": [AUDIO]})
    assert host.bed.names() == ["whole-0"]
    assert host.bed.prepare("a", "whole-0") == [before]
    assert host.told().message == f"waits for ns/a on n1 {PF}: 1 whole card in use"
    host.bed.release("a")
    assert host.bed.names() == []


def test_no_word_of_another_policy_counts_for_an_excluded_card(tmp_path: Path) -> None:
    host = ruled(tmp_path)
    host.becomes(p={**FUNCTIONS, "priority": 9}, guard={"cards": {"vendor": "intel"}, "exclude": [PF]})
    assert host.bed.names() == []
    assert host.told("guard") == CardReport(PF, True, Reason.EXCLUDED, "it is never touched")
    told = host.told("p")
    assert (told.effective, told.reason) == (False, Reason.EXCLUDED)
    assert told.message == "policy guard excludes it: leave it out of that one's spec.exclude"


# who is told what


def test_a_policy_that_another_one_shadows_is_told_by_which_and_why(tmp_path: Path) -> None:
    host = ruled(tmp_path)
    host.becomes(base=FUNCTIONS, special={**FUNCTIONS, "cards": {"addresses": [PF]}}, top={**WHOLE, "priority": 1})
    assert host.told("top").reason is Reason.IN_FORCE
    assert host.told("base") == CardReport(PF, False, Reason.SHADOWED, f"policy top wins on {PF} by priority")
    host.becomes(base=FUNCTIONS, special={**FUNCTIONS, "cards": {"addresses": [PF]}})
    assert host.told("base").message == f"policy special wins on {PF} as it names the card more closely"


def test_both_of_two_that_disagree_in_one_rank_are_told_and_the_older_holds(tmp_path: Path) -> None:
    host = ruled(tmp_path)
    host.becomes(older=FUNCTIONS, newer={**FUNCTIONS, "virtualFunctions": {"count": 2}})
    assert len(host.bed.names()) == 4
    assert (host.told("older").effective, host.told("older").reason) == (True, Reason.CONFLICTING)
    assert (host.told("newer").effective, host.told("newer").reason) == (False, Reason.CONFLICTING)
    assert "policy newer of the same rank says otherwise: set spec.priority" in host.told("older").message
    assert f"policy older wins on {PF} as it is older alone, and says otherwise" in host.told("newer").message


def test_a_policy_that_is_not_understood_is_told_so_with_the_word(tmp_path: Path) -> None:
    host = ruled(tmp_path, **FUNCTIONS, forbid=["x"])
    assert host.bed.names() == []
    assert "spec.forbid is not known to this agent: update it" in host.told().message


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"modes": ["VirtualFunction"]}, "virtual functions are made where spec.virtualFunctions.count says how many"),
        ({"modes": ["Passthrough"]}, "it is not handed out whole: amdgpu has it: spec.takeFromHost"),
        ({"modes": ["Mediated"]}, "no driver of n1 cuts it: kubectl vf doctor n1"),
        ({**FUNCTIONS, "types": ["x"]}, "it could be cut into amd-vf, which spec.modes and spec.types do not allow"),
    ],
)
def test_a_policy_in_force_on_a_card_that_then_gives_nothing_is_told_why(
    tmp_path: Path, spec: dict[str, Any], words: str
) -> None:
    told = ruled(tmp_path, **spec).told()
    assert (told.effective, told.reason) == (True, Reason.NOTHING_TO_OFFER)
    assert told.message.startswith(words)
