"""NVIDIA's own VFIO over time: restarts, releases, functions made and taken away, and nothing of anybody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from libvf_agent.errors import Busy, NotOurs, Refused

from tests.fakekernel.mdev import Mdev
from tests.fakekernel.nvidia_models import l4, l40s
from tests.fakekernel.situations import rules
from tests.unit.agent.vgpus import Bed

TO_BE_MADE = rules(functions=1)

# restarts, full types and power cuts


def test_an_agent_that_restarts_beside_full_types_offers_what_it_did(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    before = bed.names(), bed.counters()
    bed.prepare("a", *bed.of("24Q"))
    bed.restart()
    assert (bed.names(), bed.counters()) == before


def test_without_the_tool_full_types_are_remembered(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s(), tool=False)
    before = bed.names(), bed.counters()
    bed.prepare("a", *bed.of("24Q"))
    assert (bed.names(), bed.counters()) == before


def test_without_the_tool_a_restart_beside_a_full_type_keeps_our_devices_and_makes_up_no_size(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s(), tool=False)
    bed.prepare("a", *bed.of("24Q"))
    bed.restart()
    assert bed.names() == ["1155-0", "1155-1"]
    assert "capacity" not in bed.devices()["1155-0"]
    bed.release("a")
    assert len(bed.of("4Q")) == 12, "an empty card shows everything again"


def test_without_the_tool_a_restart_beside_a_vgpu_offers_what_exists_and_one_more(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s(), tool=False)
    bed.prepare("a", "1150-0", "1150-1")
    bed.restart()
    assert bed.of("4Q") == ["1150-0", "1150-1", "1150-2"]
    assert bed.of("4C") == ["1157-0", "1157-1", "1157-2"]
    assert bed.of("8Q") == []
    bed.prepare("b", "1157-2")
    assert len(bed.of("4Q")) == 4


def test_without_the_tool_a_restart_on_a_mixed_card_offers_nothing_new_until_it_is_empty(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), rules(heterogeneous=True), mixes=True, tool=False)
    bed.prepare("a", "1030-20")
    bed.restart()
    assert bed.names() == ["1030-20"]
    bed.release("a")
    assert bed.fit("1030-0", "1030-20")


def test_after_a_power_cut_the_claim_is_made_anew(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), mixes=True)
    bed.prepare("a", "1030-20")
    bed.machine.reboot()
    bed.restart()
    assert bed.card.vgpus == {}
    bed.prepare("a", "1030-20")
    assert [v.place for v in bed.card.vgpus.values()] == [20]


# releases


def test_a_release_waits_for_a_driver_that_is_slow_to_let_go(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    bed.card.slow = 3
    bed.prepare("a", "1150-0")
    bed.release("a")
    assert bed.card.vgpus == {}


def test_a_vgpu_that_is_open_is_never_cleared(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    [facts] = bed.prepare("a", "1150-0")
    bed.machine.pci.open(str(facts["pciAddress"]))
    with pytest.raises(Busy, match="held open by qemu-system-x86"):
        bed.release("a")
    assert bed.card.vgpus
    bed.machine.close()
    bed.release("a")
    assert bed.card.vgpus == {}


def test_a_stale_release_does_not_clear_the_next_owner_of_the_function(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    [facts] = bed.prepare("a", "1150-0")
    vf = str(facts["pciAddress"])
    path = f"sys/bus/pci/devices/{vf}/nvidia/current_vgpu_type"
    bed.machine.write(path, "0")
    bed.machine.write(path, str(bed.card.model.number("4C")))
    assert bed.taints("1150-0") == {"libvf.io/lost": "NoExecute"}
    bed.release("a")
    assert bed.vgpus() == {vf: "4C"}
    assert bed.taints("1150-0") == {}


def test_a_function_of_a_claim_on_its_way_out_is_given_to_nobody(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    [old] = bed.prepare("a", "1150-0")
    bed.machine.write(f"sys/bus/pci/devices/{old['pciAddress']}/nvidia/current_vgpu_type", "0")
    [new] = bed.prepare("b", "1150-1")
    assert new["pciAddress"] != old["pciAddress"]
    bed.release("a")
    assert list(bed.card.vgpus) == [new["pciAddress"]]


def test_a_function_that_a_process_has_open_is_not_chosen(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    first = bed.card.functions[0]
    bed.machine.pci.open(first, command="leftover")
    [facts] = bed.prepare("a", "1150-0")
    assert facts["pciAddress"] == bed.card.functions[1]


# parameters


def test_parameters_are_written_to_a_vgpu_that_is_there_and_cleared_before_it_goes(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s(), rules(parameters="frame_rate_limiter=0,disable_vnc=1"))
    [facts] = bed.prepare("a", "1150-0")
    assert bed.card.vgpus[str(facts["pciAddress"])].parameters == "frame_rate_limiter=0,disable_vnc=1"
    bed.release("a")
    assert bed.card.vgpus == {}


@pytest.mark.parametrize("moment", [2, 4])
def test_a_function_that_somebody_else_takes_in_between_is_left_to_them(tmp_path: Path, moment: int) -> None:
    bed = Bed(tmp_path, l4(), rules(parameters="k=v"), mixes=True)
    vf, calls = bed.card.functions[0], []

    def after_a_write() -> None:  # of the type, or of the place
        calls.append(vf)
        if len(calls) == moment:
            bed.machine.tree.write(f"sys/bus/pci/devices/{vf}/nvidia/current_vgpu_type", "0")
            bed.card.make("6C", 0)

    bed.machine.around = after_a_write
    with pytest.raises((NotOurs, Refused)):
        bed.prepare("a", "1030-20")
    assert bed.vgpus() == {vf: "6C"}
    assert bed.card.vgpus[vf].parameters == ""


# functions that are to be made


def test_a_card_without_functions_is_cut_only_by_a_policys_word(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), made=False)
    assert bed.names() == []
    bed.rules(TO_BE_MADE)
    assert len(bed.of("4C")) == 6


def test_the_first_claim_makes_the_functions_and_the_last_one_takes_them_away(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), TO_BE_MADE, made=False)
    [first] = bed.prepare("a", "1030-0")
    assert len(bed.card.functions) == 16
    [second] = bed.prepare("b", "1030-1")
    assert first["pciAddress"] != second["pciAddress"]
    bed.release("a")
    assert bed.vgpus() == {second["pciAddress"]: "4C"}
    bed.release("b")
    assert bed.card.functions == []


def test_functions_that_the_administrator_has_made_stay(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), TO_BE_MADE)
    bed.prepare("a", "1030-0")
    bed.release("a")
    assert len(bed.card.functions) == 16


def test_functions_we_made_stay_while_somebody_else_has_a_vgpu(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), TO_BE_MADE, made=False)
    bed.prepare("a", "1030-0")
    theirs = bed.card.make("4C")
    bed.release("a")
    assert bed.vgpus() == {theirs: "4C"}


def test_sizes_mix_on_a_card_we_cut_where_a_policy_says_so(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), rules(functions=1, heterogeneous=True), made=False)
    before = bed.names(), bed.counters()
    bed.prepare("a", "1030-20")
    assert bed.card.mixes, "switched on after the functions were made, which switches it off"
    assert (bed.names(), bed.counters()) == before
    bed.prepare("b", "1033-0")
    assert sorted((v.kind.size, v.place) for v in bed.card.vgpus.values()) == [(4, 20), (12, 0)]


def test_a_card_we_cut_takes_one_size_without_a_policys_word(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), TO_BE_MADE, made=False)
    bed.card.mixes = True  # by hand, and gone with the making of the functions
    assert not bed.fit("1030-0", "1033-0")
    bed.prepare("a", "1030-0")
    assert not bed.card.mixes


def test_a_card_that_is_open_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), TO_BE_MADE, made=False)
    bed.machine.locked = 2
    bed.prepare("a", "1030-0")
    bed.machine.locked = 1
    bed.release("a")
    assert bed.card.functions == []


def test_functions_are_not_made_where_mdev_might_be_how_they_are_cut(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), TO_BE_MADE, made=False)
    Mdev(bed.machine)
    assert bed.names() == []


def test_without_the_tool_nothing_is_known_of_a_card_without_functions(tmp_path: Path) -> None:
    assert Bed(tmp_path, l4(), TO_BE_MADE, made=False, tool=False).names() == []
