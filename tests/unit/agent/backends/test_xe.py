"""Intel xe, cut by a policy: sizes that mix, what the driver has been given by others, policies that change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path

import pytest
from libvf_agent.errors import Full, Refused
from libvf_agent.gpus.listing import listed
from libvf_agent.rules import Quota, careful

from tests.fakekernel.pci import VFIO
from tests.fakekernel.situations import PF, TIMES, rules
from tests.fakekernel.xe import GIB, MIB, XE, XE_VFIO, arc
from tests.unit.agent.backends.xe_bed import SIZES, Bed, sizes

# cut by a policy


def test_a_card_without_a_policy_and_without_functions_is_left_alone(tmp_path: Path) -> None:
    assert Bed(tmp_path, careful).names() == []


def test_a_policys_sizes_share_one_pool_of_memory_and_one_of_functions(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    assert bed.counters() == {"vfs": 6, "vram": 16 * GIB - 128 * MIB}
    assert sizes(bed.names()) == {"vf-2048m": 6, "vf-4096m": 3}
    assert bed.fit("vf-4096m-0", "vf-4096m-1", "vf-4096m-2")
    assert bed.fit("vf-4096m-0", "vf-4096m-1", "vf-2048m-0", "vf-2048m-1", "vf-2048m-2")
    assert not bed.fit("vf-4096m-0", "vf-4096m-1", "vf-4096m-2", "vf-2048m-0", "vf-2048m-1")


def everything_that_fits(bed: Bed) -> Iterator[tuple[str, ...]]:
    """Each set of sizes that the scheduler could allocate, as names of devices."""
    for count in range(1, 7):
        for kinds in combinations_with_replacement(("vf-2048m", "vf-4096m"), count):
            seen: Counter[str] = Counter()
            names = []
            for kind in kinds:
                names.append(f"{kind}-{seen[kind]}")
                seen[kind] += 1
            if set(names) <= set(bed.names()) and bed.fit(*names):
                yield tuple(names)


def test_whatever_the_scheduler_may_allocate_the_driver_has(tmp_path: Path) -> None:
    tried = 0
    for names in everything_that_fits(Bed(tmp_path)):
        bed = Bed(tmp_path / str(tried))
        for name in names:
            bed.prepare(name, name)
        assert sum(bed.quotas()) == sum(int(name.split("-")[1][:-1]) for name in names)
        tried += 1
    assert tried > 10


def test_one_claim_for_several_sizes_gets_a_function_for_each_in_any_order(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=4, quota=SIZES), arc(vram=8 * GIB + 256 * MIB))
    found = bed.prepare("a", "vf-2048m-0", "vf-2048m-1", "vf-4096m-0")
    assert [bed.share(facts).quota // MIB for facts in found] == [2048, 2048, 4096]


def test_the_first_quota_is_there_before_the_functions_so_the_driver_shares_out_nothing(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-4096m-0")
    assert len(bed.card.function.vfs) == 6
    assert bed.quotas() == [4096]
    bed.prepare("b", "vf-2048m-0")
    assert bed.quotas() == [4096, 2048]


def test_a_function_that_is_given_back_becomes_any_other_size(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-2048m-0")
    bed.prepare("b", "vf-2048m-1")
    bed.release("a")
    assert bed.quotas() == [0, 2048]
    bed.prepare("c", "vf-4096m-0")
    assert bed.quotas() == [4096, 2048]


def test_the_last_claim_takes_functions_quotas_and_policy_of_the_firmware_back(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=6, quota=replace(TIMES, sizes=SIZES.sizes)))
    before = bed.xe.state()
    for name in ("vf-2048m-0", "vf-4096m-0"):
        bed.prepare(name, name)
    assert bed.card.priority == "normal"
    bed.release("vf-2048m-0")
    assert bed.card.priority == "normal"
    bed.release("vf-4096m-0")
    assert bed.xe.state() == before
    assert bed.card.function.vfs == []
    assert bed.driver(PF) == XE


def test_without_sizes_the_memory_is_cut_into_equal_parts(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=4))
    part = (16 * GIB - 128 * MIB) // 4 // (2 * MIB) * 2
    assert sizes(bed.names()) == {f"vf-{part}m": 4}
    assert bed.fit(*bed.names())
    bed.prepare("a", f"vf-{part}m-3")
    assert bed.quotas() == [part]


def test_what_the_policy_reserves_stays_with_the_host(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=6, quota=SIZES, reserved_vram=8 * GIB))
    assert sizes(bed.names()) == {"vf-2048m": 3, "vf-4096m": 1}


@pytest.mark.parametrize(("tiles", "becomes"), [(1, 3002), (2, 3004)])
def test_a_size_is_offered_as_the_driver_rounds_it(tmp_path: Path, tiles: int, becomes: int) -> None:
    bed = Bed(tmp_path, rules(functions=4, quota=Quota(sizes=(3001 * MIB,))), arc(tiles=tiles))
    assert bed.names()[0] == f"vf-{becomes}m-0"
    [facts] = bed.prepare("a", f"vf-{becomes}m-0")
    assert facts["vram"] == becomes * MIB == bed.share(facts).quota


def test_a_driver_that_rounds_more_than_we_know_is_still_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakekernel.xe.PAGE", 64 * MIB)
    bed = Bed(tmp_path, rules(functions=4, quota=Quota(sizes=(3000 * MIB,))))
    bed.prepare("a", "vf-3000m-0")
    assert bed.quotas() == [3008]
    assert bed.taints("vf-3000m-0") == {}
    assert bed.counters()["vfs"] == 4, "what is ours is not taken from what is left"
    bed.release("a")
    assert bed.quotas() == []


def test_names_are_dns_labels_and_each_is_there_once(tmp_path: Path) -> None:
    close = Quota(sizes=(2 * GIB, 2 * GIB, 2 * GIB - 1, 2 * GIB + 1))
    names = Bed(tmp_path, rules(functions=4, quota=close)).names()
    assert len(names) == len(set(names)) == 8, "what the driver rounds to one size is one type"
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names)


def test_the_list_of_cards_says_how_many_of_each_size_are_still_to_be_had(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-4096m-0")
    [seen] = listed([one.card.gpu for one in bed.seen() if one.card], (), ()).gpus
    assert {kind.id: kind.available for kind in seen.types} == {"intel-vf-2048m": 5, "intel-vf-4096m": 2}


def test_the_whole_card_and_its_functions_exclude_each_other(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=6, quota=SIZES, take_from_host=True, take_host_display=True))
    assert "whole-0" in bed.names()
    assert not bed.fit("vf-2048m-0", "whole-0")


@pytest.mark.parametrize(("loaded", "chosen"), [((VFIO, XE_VFIO), XE_VFIO), ((VFIO,), VFIO)])
def test_the_drivers_own_vfio_is_preferred(tmp_path: Path, loaded: tuple[str, ...], chosen: str) -> None:
    bed = Bed(tmp_path, drivers=loaded)
    [facts] = bed.prepare("a", "vf-2048m-0")
    assert bed.driver(facts["pciAddress"]) == chosen


# what somebody else has set


def test_a_quota_set_by_hand_is_taken_and_never_changed_whether_its_function_is_in_use_or_not(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.by_hand("sriov_admin/vf1/profile/vram_quota", str(5 * GIB))
    bed.enable(4)
    assert bed.counters() == {"vfs": 3, "vram": 11 * GIB - 128 * MIB}
    names = bed.names()
    assert sizes(names) == {"vf-2048m": 4, "vf-4096m": 3}
    assert "vf-5120m-0" not in names
    bed.prepare("a", "vf-4096m-0")
    assert bed.quotas() == [5120, 4096]
    bed.release("a")
    assert bed.quotas() == [5120]
    assert len(bed.card.function.vfs) == 4, "what was not made by us is never removed"


def test_a_quota_beyond_the_functions_there_are_takes_memory_too(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.by_hand("sriov_admin/vf12/profile/vram_quota", str(10 * GIB))
    assert bed.counters() == {"vfs": 6, "vram": 6 * GIB - 128 * MIB}
    bed.prepare("a", "vf-4096m-0")
    bed.release("a")
    assert bed.quotas()[11] == 10240


def test_memory_that_is_all_set_by_hand_is_all_taken_though_we_would_have_left_some(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    for number in (1, 2):
        bed.by_hand(f"sriov_admin/vf{number}/profile/vram_quota", str(8158 * MIB))
    bed.enable(6)
    assert bed.counters() == {"vfs": 4, "vram": 0}


def test_a_quota_set_by_hand_before_functions_exist_would_go_with_them_so_none_are_made(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.by_hand("sriov_admin/vf2/profile/vram_quota", str(GIB))
    assert bed.taints("vf-2048m-0") == {"libvf.io/foreign-quota": "NoSchedule"}
    bed.by_hand("sriov_admin/vf2/profile/vram_quota", "0")
    assert bed.taints("vf-2048m-0") == {}


def test_functions_that_were_enabled_by_hand_hold_all_memory_against_a_policys_sizes(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.enable(4)
    assert bed.quotas() == [2048] * 4
    assert bed.counters()["vfs"] == 0
    with pytest.raises(Full, match="no free virtual function of 4"):
        bed.prepare("a", "vf-2048m-0")


def test_memory_that_somebody_takes_between_scheduling_and_carving_is_missed_cleanly(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-2048m-0")
    bed.by_hand("sriov_admin/vf6/profile/vram_quota", str(12 * GIB))
    before = bed.xe.state()
    with pytest.raises(Full, match=r"vram_quota: ENOMEM .*delete a partition on this card or ask for a smaller one"):
        bed.prepare("b", "vf-4096m-0")
    assert bed.xe.state() == before


def test_a_function_that_a_guest_out_of_sight_still_has_is_refused_by_the_firmware(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.by_hand("sriov_admin/vf2/profile/vram_quota", str(GIB))
    bed.enable(4)
    first = bed.card.function.vfs[0]
    bed.kernel.tree.write(f"sys/bus/pci/devices/{first}/driver_override", XE_VFIO)
    bed.kernel.tree.write("sys/bus/pci/drivers_probe", first)
    bed.xe.open(first, hidden=True)
    with pytest.raises(Refused, match="vf1/profile/vram_quota: EIO"):
        bed.prepare("a", "vf-2048m-0")
    assert bed.quotas() == [0, 1024]


# policies that change


def test_a_device_in_use_stays_offered_in_its_size_when_the_policy_has_others(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-4096m-1")
    bed.rules(rules(functions=6, quota=Quota(sizes=(3 * GIB,))))
    names = bed.names()
    assert sizes(names) == {"vf-3072m": 5, "vf-4096m": 1}
    assert "vf-4096m-1" in names
    assert not bed.fit(*names), "its memory still counts"
    bed.release("a")
    assert sizes(bed.names()) == {"vf-3072m": 5}


def test_a_device_in_use_stays_offered_when_the_policy_is_gone(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-4096m-1")
    bed.rules(careful)
    assert bed.names() == ["vf-4096m-1"]
    bed.release("a")
    assert bed.names() == []
