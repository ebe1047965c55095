"""Where vGPUs may lie: NVIDIA's published tables, and less rather than more where there is none."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_agent.nvidia_places import MOST, MOST_SLOTS, covered, edges, equal, mixed

# Virtual GPU Software User Guide 19 and 20, "vGPU Placements for GPUs in Mixed-Size Mode"
TABLES = {
    16: {16: "0", 8: "0 8", 4: "0 4 8 12", 2: "0 2 4 6 8 10 12 14", 1: "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"},
    24: {24: "0", 12: "0 12", 8: "0 16", 6: "0 6 12 18", 4: "0 8 12 20"},
    40: {
        40: "0",
        20: "0 20",
        10: "0 10 20 30",
        8: "0 12 20 32",
        5: "0 5 10 15 20 25 30 35",
        4: "0 6 10 16 20 26 30 36",
    },
    48: {
        48: "0",
        24: "0 24",
        16: "0 32",
        12: "0 12 24 36",
        8: "0 16 24 40",
        6: "0 6 12 18 24 30 36 42",
        4: "0 8 12 20 24 32 36 44",
        3: "0 3 6 9 12 15 18 21 24 27 30 33 36 39 42 45",
        2: "0 4 6 10 12 16 18 22 24 28 30 34 36 40 42 46",
        1: "0 5 6 11 12 17 18 23 24 29 30 35 36 41 42 47",
    },
    80: {
        80: "0",
        40: "0 40",
        20: "0 20 40 60",
        16: "0 24 40 64",
        10: "0 10 20 30 40 50 60 70",
        8: "0 12 20 32 40 52 60 72",
        5: "0 5 10 15 20 25 30 35 40 45 50 55 60 65 70 75",
        4: "0 6 10 16 20 26 30 36 40 46 50 56 60 66 70 76",
    },
    94: {
        94: "0",
        47: "0 47",
        23: "0 24 47 71",
        15: "0 32 47 79",
        11: "0 12 23 36 47 59 70 83",
        6: "0 17 23 41 47 64 70 88",
        4: "0 7 11 19 23 31 35 43 47 54 58 66 70 78 82 90",
    },
    96: {
        96: "0",
        48: "0 48",
        32: "0 32 64",
        24: "0 24 48 72",
        16: "0 16 32 48 64 80",
        12: "0 12 24 36 48 60 72 84",
        8: "0 8 16 24 32 40 48 56 64 72 80 88",
    },
}


@pytest.mark.parametrize(("total", "size"), [(total, size) for total, table in TABLES.items() for size in table])
def test_places_are_those_of_the_published_tables(total: int, size: int) -> None:
    assert list(mixed(total, size)) == [int(place) for place in TABLES[total][size].split()]


@pytest.mark.parametrize(
    ("total", "size", "most"),
    [(48, 16, 3), (48, 4, 12), (48, 1, 32), (16, 1, 16), (24, 4, 6), (96, 2, 32), (96, 4, 24)],
)
def test_a_card_of_one_size_takes_as_many_as_the_published_tables_say(total: int, size: int, most: int) -> None:
    assert equal(total, size) == most


def test_of_a_card_without_a_known_table_only_what_every_table_would_allow_is_used() -> None:
    assert mixed(141, 70) == (0,)  # 71 by one rule, 70 by the other
    assert mixed(32, 8) == (0, 8, 16, 24)
    assert equal(141, 8) <= 16  # which the table says, where 17 would go into it


def test_sizes_that_go_into_a_card_more_often_than_the_driver_counts_have_no_known_places() -> None:
    assert mixed(96, 2) == ()


TOTALS = st.sampled_from([16, 20, 24, 32, 40, 48, 80, 94, 96, 141, 180, 288])


@given(TOTALS, st.integers(1, 300))
def test_places_of_one_size_never_overlap_and_lie_on_the_card(total: int, size: int) -> None:
    places = mixed(total, size)
    assert len(places) <= MOST
    assert all(place >= 0 and place + size <= total for place in places)
    assert all(after - before >= size for before, after in itertools.pairwise(places))
    assert equal(total, size) <= total // size


@given(TOTALS, st.sets(st.integers(1, 96), min_size=1, max_size=10))
def test_slots_tell_who_overlaps_and_are_never_more_than_a_device_may_draw_on(total: int, sizes: set[int]) -> None:
    places = {size: mixed(total, size) for size in sizes}
    ends = edges(total, places)
    assert len(ends) - 1 <= MOST_SLOTS
    vgpus = [(place, size) for size, of_size in places.items() for place in of_size]
    for place, size in vgpus:
        mine = set(covered(ends, place, size))
        assert mine
        for other, its in vgpus:
            overlaps = place < other + its and other < place + size
            assert not overlaps or mine & set(covered(ends, other, its)), "two that exclude each other share a slot"


@pytest.mark.parametrize("total", [16, 24, 40, 48, 80, 94, 96])
def test_slots_are_exact_on_every_card_of_the_tables(total: int) -> None:
    places = {size: mixed(total, size) for size in TABLES[total]}
    ends = edges(total, places)
    vgpus = [(place, size) for size, of_size in places.items() for place in of_size]
    for place, size in vgpus:
        for other, its in vgpus:
            shared = set(covered(ends, place, size)) & set(covered(ends, other, its))
            assert bool(shared) == (place < other + its and other < place + size)
