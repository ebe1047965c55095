"""NVIDIA's own VFIO: what is offered together can be made, and what the driver would refuse is not offered."""

from __future__ import annotations

from pathlib import Path

import pytest
from libvf_agent.errors import Full

from tests.fakekernel.nvidia_models import Kind, Model, l4, l40s
from tests.fakekernel.situations import PF, rules
from tests.unit.agent.vgpus import Bed

# cards of one size


def test_every_type_is_offered_as_often_as_the_driver_says_the_smallest_first(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    for kind in bed.card.model.kinds:
        assert len(bed.of(kind.name.rpartition("-")[2])) == kind.limit
    sizes = [bed.size(name) for name in bed.names()]
    assert sizes == sorted(sizes)
    assert bed.devices()["1150-0"]["capacity"] == {"vram": {"value": "4Gi"}}
    assert bed.devices()["1150-0"]["attributes"]["mode"] == {"string": "VirtualFunction"}


@pytest.mark.parametrize("name", ["1B", "1Q", "4Q", "4C", "16Q", "48Q"])
def test_all_of_a_size_that_is_offered_can_be_made_and_not_one_more(tmp_path: Path, name: str) -> None:
    bed = Bed(tmp_path, l40s())
    devices = bed.of(name)
    assert bed.fit(*devices)
    facts = bed.prepare("a", *devices)
    assert len({one["pciAddress"] for one in facts}) == len(devices) == len(bed.card.vgpus)
    assert not any(bed.card.creatable(vf) for vf in bed.card.functions), "the driver takes no more of any type"


def test_a_card_with_fewer_functions_than_vgpus_offers_as_many_as_functions(tmp_path: Path) -> None:
    bed = Bed(tmp_path, Model("L40S", "10de:26b9", l40s().kinds, 8))
    assert [len(bed.of(name)) for name in ("1Q", "6Q", "8Q")] == [8, 8, 6]


def test_sizes_exclude_each_other_and_series_of_one_size_do_not(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    assert not bed.fit(bed.of("4Q")[0], bed.of("8Q")[0])
    pair = bed.of("4Q")[0], bed.of("4C")[1]
    assert bed.fit(*pair)
    bed.prepare("a", *pair)
    assert sorted(bed.vgpus().values()) == ["4C", "4Q"]


def test_a_function_stays_with_its_driver_and_is_told_to_the_guests_side(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    [facts] = bed.prepare("a", "1150-0")
    vf = str(facts["pciAddress"])
    assert bed.vgpus() == {vf: "4Q"}
    assert bed.machine.pci.functions[vf].driver == "nvidia"
    assert (facts["type"], facts["parent"], facts["vram"]) == ("nvidia-1150", PF, 4 << 30)
    assert facts["iommuGroup"] == bed.machine.pci.functions[vf].group
    bed.release("a")
    assert bed.vgpus() == {}


def test_a_vgpu_of_somebody_else_leaves_its_own_size_and_one_less_of_it(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    theirs = bed.card.make("4Q", 0)
    free = bed.free()
    assert {bed.size(name) for name in free} == {4}
    quadros = [name for name in free if name in bed.of("4Q")]
    assert len(quadros) == 11
    bed.prepare("a", *quadros)
    assert len(bed.card.vgpus) == 12
    bed.release("a")
    assert bed.vgpus() == {theirs: "4Q"}


def test_a_card_that_somebody_else_has_filled_offers_nothing_that_can_be_had(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    bed.card.make("24Q", 0)
    bed.card.make("24C", 1)
    assert bed.free() == []


def test_functions_that_take_nothing_are_an_error_that_says_so(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s())
    bed.card.make("48Q", 0)
    with pytest.raises(Full, match=r"no function that takes nvidia-1150 \(0 in use, 1 vGPUs in all\)"):
        bed.prepare("a", "1150-0")


# cards that mix sizes


def maximal(bed: Bed) -> list[tuple[str, ...]]:
    """All sets of devices that the counters allow and that no further device fits into."""
    cost, left, found = bed.costs(), bed.counters(), []
    names = list(cost)

    def fits(*chosen: str) -> bool:
        return all(sum(cost[name].get(c, 0) for name in chosen) <= most for c, most in left.items())

    def grow(chosen: tuple[str, ...], start: int) -> None:
        for number, name in enumerate(names[start:], start):
            if fits(*chosen, name):
                grow((*chosen, name), number + 1)
        if not any(fits(*chosen, name) for name in names if name not in chosen):
            found.append(chosen)

    grow((), 0)
    return found


def test_whatever_is_offered_together_can_be_made_in_any_order_and_lies_where_it_was_offered(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), mixes=True)
    sets = maximal(bed)
    assert len(sets) > 20
    for number, names in enumerate([*sets, *(tuple(reversed(names)) for names in sets)]):
        facts = bed.prepare(str(number), *names)
        lies = {f"{v.kind.id}-{v.place}": vf for vf, v in bed.card.vgpus.items()}
        assert lies == dict(zip(names, (one["pciAddress"] for one in facts), strict=True))
        bed.release(str(number))
        assert bed.card.vgpus == {}


def test_what_is_not_offered_together_the_driver_would_refuse(tmp_path: Path) -> None:
    for names in maximal(Bed(tmp_path, l4(), mixes=True)):
        bed = Bed(tmp_path / "-".join(names), l4(), mixes=True)
        bed.prepare("a", *names)
        assert bed.card.creatable(bed.card.functions[-1]) == []


def test_a_card_of_ten_sizes_in_three_series_mixes_them_within_the_limits_of_the_api(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l40s(), mixes=True)
    names = ("1147-5", "1148-6", "1157-20", "1152-24", "1151-36", "1145-47")
    assert bed.fit(*names)
    bed.prepare("a", *names)
    assert sorted(bed.vgpus().values()) == ["1B", "1Q", "2Q", "4C", "6Q", "8Q"]
    devices = bed.devices().values()
    assert max(len(device["consumesCounters"]) for device in devices) <= 2
    assert bed.of("16Q") == ["1154-0", "1154-32"]


@pytest.mark.parametrize(
    "sizes", [(4, 5, 8, 10, 16, 20, 40, 80), (4, 6, 11, 15, 23, 47, 94), (3, 4, 5, 7, 11, 13, 24, 96), (1, 9, 141)]
)
def test_cards_above_64_gib_keep_the_limits_of_the_api(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    kinds = tuple(Kind(n, f"NVIDIA X-{size}C", size, 1, ()) for n, size in enumerate(sizes, 1))
    bed = Bed(tmp_path, Model("X", "10de:0001", kinds, 32), mixes=True)
    assert bed.of(f"{sizes[-1]}C") == [f"{len(sizes)}-0"]
    assert max(len(device["consumesCounters"]) for device in bed.devices().values()) <= 2


def test_a_vgpu_of_somebody_else_takes_the_place_it_lies_at(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), mixes=True)
    bed.card.make("12C", 5)
    bed.card.make("4C", 6)
    assert bed.free() == ["1030-20", "1031-18", "1032-16"]
    bed.prepare("a", "1031-18")
    assert sorted(bed.vgpus().values()) == ["12C", "4C", "6C"]


def test_a_place_of_somebody_elses_that_no_table_has_is_taken_all_the_same(tmp_path: Path) -> None:
    table = {4: (0, 4, 8, 12, 16), 5: (0, 5, 10, 15), 20: (0,)}  # of 20 GiB: 4 lie at 0 and 16 by every known rule
    kinds = [Kind(n, f"NVIDIA X-{size}Q", size, len(at), at) for n, (size, at) in enumerate(table.items(), 1)]
    bed = Bed(tmp_path, Model("X", "10de:0001", tuple(kinds), 8), mixes=True)
    assert bed.of("4Q") == ["1-0", "1-16"]
    bed.card.make("4Q", 0)
    bed.card.make("4Q", 1)
    assert bed.free() == ["1-16", "2-10", "2-15"]


def test_never_more_vgpus_than_functions(tmp_path: Path) -> None:
    few = Model("L4", "10de:27b8", l4().kinds, 3)
    bed = Bed(tmp_path, few, mixes=True)
    assert bed.fit("1030-0", "1030-8", "1030-12")
    assert not bed.fit("1030-0", "1030-8", "1030-12", "1030-20")


# what the card is, by its own word


def test_that_sizes_mix_is_what_the_tool_says_and_not_what_a_policy_says(tmp_path: Path) -> None:
    one = Bed(tmp_path / "one", l4(), rules(heterogeneous=True))
    assert not one.fit(one.of("4C")[0], one.of("12C")[-1])
    mixed = Bed(tmp_path / "mixed", l4(), rules(heterogeneous=False), mixes=True)
    assert mixed.fit("1030-0", "1033-12")


def test_without_the_tool_the_policys_word_counts(tmp_path: Path) -> None:
    assert Bed(tmp_path / "a", l4(), tool=False).of("8C") == ["1032-0", "1032-1", "1032-2"]
    assert Bed(tmp_path / "b", l4(), rules(heterogeneous=True), mixes=True, tool=False).of("8C") == [
        "1032-0",
        "1032-16",
    ]


def test_without_the_tool_a_function_that_still_lists_another_size_proves_that_sizes_mix(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), mixes=True, tool=False)
    assert bed.of("8C") == ["1032-0", "1032-1", "1032-2"], "an empty card does not show it"
    bed.card.make("12C", 0)
    assert bed.free() == ["1030-12", "1030-20", "1031-12", "1031-18", "1032-16", "1033-12"]


def test_without_the_tool_a_full_type_of_unknown_size_proves_nothing(tmp_path: Path) -> None:
    kinds = (Kind(1, "NVIDIA X-4B", 4, 1, (0,)), Kind(2, "NVIDIA X-4Q", 4, 3, (0, 4, 8)))
    bed = Bed(tmp_path, Model("X", "10de:0001", kinds, 8), tool=False)
    bed.card.make("4B", 0)
    assert bed.names() == ["1-0", "2-0"]
    assert bed.free() == [], "what is of unknown size leaves room for none that is known"


def test_a_card_cut_by_mig_offers_nothing_of_which_the_number_is_not_known(tmp_path: Path) -> None:
    for tool in (True, False):
        bed = Bed(tmp_path / str(tool), l40s(), tool=tool)
        bed.card.mig = True
        assert bed.names() == []


def test_the_tool_is_asked_once_for_a_card_that_does_not_change(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4())
    for _ in range(5):
        bed.names()
    assert bed.machine.asked == 2
    bed.prepare("a", "1030-0")
    for _ in range(5):
        bed.names()
    assert bed.machine.asked == 4, "and once more when its first vGPU is there, as the mode is fixed from then on"


def test_a_mode_that_was_switched_off_on_an_empty_card_is_noticed_with_its_first_vgpu(tmp_path: Path) -> None:
    bed = Bed(tmp_path, l4(), mixes=True)
    assert bed.fit("1030-0", "1033-12")
    bed.card.mixes = False
    bed.prepare("a", "1030-0")
    assert bed.of("12C") == ["1033-0", "1033-1"]
    assert not bed.fit("1030-0", "1033-1")


# policies


def test_a_policy_excludes_a_card_and_picks_types(tmp_path: Path) -> None:
    assert Bed(tmp_path / "a", l40s(), rules(excluded=True)).names() == []
    bed = Bed(tmp_path / "b", l40s(), rules(types=("nvidia-1150", "nvidia-1152")))
    assert {name.rpartition("-")[0] for name in bed.names()} == {"1150", "1152"}
