"""Intel xe, as its driver is: functions made by hand, shares of time, cards without quotas, and sick ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from libvf_agent.errors import Refused
from libvf_agent.rules import Quota, careful

from tests.fakekernel.situations import PF, TIMES, rules
from tests.fakekernel.tree import File
from tests.fakekernel.xe import GIB, MIB, Share, arc, integrated
from tests.unit.agent.backends.xe_bed import CUT, HOME, SIZES, Bed, sizes

# as it stands


def test_functions_made_by_hand_are_offered_each_in_the_size_it_has(tmp_path: Path) -> None:
    bed = Bed(tmp_path, careful)
    for number, size in ((1, 4), (2, 1), (3, 4)):
        bed.by_hand(f"sriov_admin/vf{number}/profile/vram_quota", str(size * GIB))
    bed.enable(4)
    assert bed.names() == ["vf-1024m-0", "vf-4096m-0", "vf-4096m-1"], "one without memory is of no use to a guest"
    assert bed.fit(*bed.names())
    before = bed.xe.state()
    [small] = bed.prepare("a", "vf-1024m-0")
    big = [bed.prepare(name, name)[0] for name in ("vf-4096m-1", "vf-4096m-0")]
    assert small["pciAddress"] == bed.card.function.vfs[1]
    assert {facts["pciAddress"] for facts in big} == {bed.card.function.vfs[0], bed.card.function.vfs[2]}
    for name in ("a", "vf-4096m-1", "vf-4096m-0"):
        bed.release(name)
    assert bed.xe.state() == before


def test_a_function_made_by_hand_and_in_use_is_not_given_away(tmp_path: Path) -> None:
    bed = Bed(tmp_path, careful)
    bed.by_hand("sriov_numvfs", "2")  # with autoprobe: the host's own driver has them
    assert bed.counters()["vfs-4096m"] == 0


# shares of time


def test_each_function_gets_the_policys_quantum_and_timeout_and_no_other_does(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=6, quota=replace(TIMES, sizes=SIZES.sizes)))
    [facts] = bed.prepare("a", "vf-2048m-0")
    assert bed.share(facts) == Share(2 * GIB, 20, 40_000)
    assert bed.card.shares[0] == bed.card.shares[2] == Share()


def test_what_a_newer_driver_gives_everybody_is_overwritten_and_comes_back(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(quota=TIMES), arc(fair_time=True))
    bed.enable(4)
    [facts] = bed.prepare("a", "vf-2048m-0")
    assert bed.share(facts) == Share(2 * GIB, 20, 40_000)
    bed.release("a")
    assert bed.share(facts) == Share(2 * GIB, 16, 16_000)
    assert bed.card.priority == "low"


def test_a_quantum_that_is_changed_while_a_guest_runs_takes_no_device_away(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=6, quota=replace(TIMES, sizes=SIZES.sizes)))
    bed.prepare("a", "vf-2048m-0")
    bed.by_hand("sriov_admin/.bulk_profile/exec_quantum_ms", "5")
    assert bed.taints("vf-2048m-0") == {}


def test_memory_that_is_taken_away_by_hand_is_a_device_lost(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-2048m-0")
    bed.by_hand("sriov_admin/vf1/profile/vram_quota", "0")
    assert bed.taints("vf-2048m-0") == {"libvf.io/lost": "NoExecute"}


def test_a_priority_that_functions_cannot_have_keeps_claims_away(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=6, quota=Quota(SIZES.sizes, priority="high")))
    assert bed.taints("vf-2048m-0") == {"libvf.io/quota": "NoSchedule"}
    with pytest.raises(Refused, match=r"\.bulk_profile/sched_priority: EINVAL"):
        bed.prepare("a", "vf-2048m-0")
    assert bed.card.function.vfs == []


def test_a_driver_without_shares_of_time_says_so(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=6, quota=replace(SIZES, exec_quantum_ms=20)))
    for number in range(1, 13):
        bed.kernel.tree.drop(f"{HOME}/sriov_admin/vf{number}/profile/exec_quantum_ms")
    assert bed.taints("vf-2048m-0") == {"libvf.io/quota": "NoSchedule"}


# cards without quotas of memory


def test_an_integrated_card_is_cut_into_equal_functions(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=7), integrated())
    assert sizes(bed.names()) == {"vf": 7}
    assert bed.counters() == {"vfs": 7}
    [facts] = bed.prepare("a", "vf-0")
    assert "vram" not in facts
    bed.release("a")
    assert bed.card.function.vfs == []


def test_before_linux_7_the_driver_shares_out_by_itself(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=4), arc(quotas=False))
    assert sizes(bed.names()) == {"vf": 4}
    bed.prepare("a", "vf-0")
    assert bed.quotas() == [2048] * 4


def test_quotas_that_can_only_be_read_are_left_to_the_driver(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=4))
    bed.kernel.tree.drop(f"{HOME}/sriov_admin/.bulk_profile/vram_quota")
    assert sizes(bed.names()) == {"vf": 4}
    bed.prepare("a", "vf-0")
    assert bed.quotas() == [2048] * 4


# how much there is


def test_where_no_file_tells_the_memory_equal_parts_are_the_drivers_and_sizes_wait_for_a_word(tmp_path: Path) -> None:
    bed = Bed(tmp_path, rules(functions=4), arc(debugfs=False))
    assert sizes(bed.names()) == {"vf": 4}
    assert bed.taints("vf-0") == {}
    bed.prepare("a", "vf-1")
    assert sizes(bed.names()) == {"vf": 4}, "what the driver gave them changes no names"
    bed.release("a")
    bed.rules(CUT)
    assert bed.taints("vf-0") == {"libvf.io/unknown-vram": "NoSchedule"}
    bed.rules(rules(functions=6, quota=SIZES, vram=16 * GIB))
    assert sizes(bed.names()) == {"vf-2048m": 6, "vf-4096m": 3}


def test_a_card_that_sleeps_is_woken_once_to_say_how_much_it_has(tmp_path: Path) -> None:
    bed, asked = Bed(tmp_path), []
    path = f"sys/kernel/debug/dri/{PF}/tile0/vram_mm"
    told = bed.kernel.read(path)
    bed.kernel.tree.put(path, File(lambda: asked.append(path) or told))  # type: ignore[func-returns-value]
    assert [bed.counters()["vram"] for _ in range(3)] == [16 * GIB - 128 * MIB] * 3
    assert asked == [path]


def test_a_file_of_intels_own_trees_tells_it_too(tmp_path: Path) -> None:
    bed = Bed(tmp_path, card=arc(debugfs=False))
    bed.kernel.tree.text(f"{HOME}/tile0/physical_vram_size_bytes", str(16 * GIB))
    assert bed.counters()["vram"] == 16 * GIB - 256 * MIB - 128 * MIB


def test_an_administrators_word_never_promises_what_the_card_keeps_for_itself(tmp_path: Path) -> None:
    card = arc(debugfs=False, vram=16 * GIB - 134 * MIB)  # sold with 16 GiB
    bed = Bed(tmp_path, rules(functions=8, vram=16 * GIB, quota=Quota(sizes=(2032 * MIB,))), card)
    for name in bed.names():
        bed.prepare(name, name)
    assert bed.quotas() == [2032] * 7


def test_tiles_count_together(tmp_path: Path) -> None:
    bed = Bed(tmp_path, card=arc(tiles=2, vram=32 * GIB))
    assert bed.counters()["vram"] == 32 * GIB - 2 * 128 * MIB


# sick cards


@pytest.mark.parametrize("file", ["vf1/profile/exec_quantum_ms", "vf1/profile/vram_quota"])
def test_a_card_whose_tiles_do_not_agree_gets_no_further_claim_and_keeps_those_it_has(
    tmp_path: Path, file: str
) -> None:
    bed = Bed(tmp_path)
    bed.prepare("a", "vf-2048m-0")
    bed.card.uneven.add(file)
    bed.restart()
    assert bed.taints("vf-2048m-0") == {"libvf.io/sick": "NoSchedule"}
    assert bed.taints("vf-4096m-1") == {"libvf.io/sick": "NoSchedule"}
    bed.card.uneven.clear()
    assert bed.taints("vf-4096m-1") == {}
    bed.release("a")
    assert bed.card.function.vfs == []


def test_a_function_whose_quota_cannot_be_read_is_not_given_to_another_claim(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.by_hand("sriov_admin/vf1/profile/vram_quota", str(GIB))
    bed.enable(2)
    bed.card.uneven.add("vf1/profile/vram_quota")
    [facts] = bed.prepare("a", "vf-2048m-0")
    assert facts["pciAddress"] == bed.card.function.vfs[1]


def test_functions_that_cannot_be_reset_are_kept_from_claims(tmp_path: Path) -> None:
    card = arc()
    card.function.reset = None
    bed = Bed(tmp_path, careful, card)
    bed.enable(2)
    assert bed.taints("vf-4096m-0") == {"libvf.io/no-reset": "NoSchedule"}
    bed.rules(rules(reuse_without_reset=True))
    assert bed.taints("vf-4096m-0") == {}
