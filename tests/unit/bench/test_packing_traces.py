"""What traces are like, and what the two simple peers make of them."""

import pytest

from bench.packing.cards import FLEETS, Fleet, fits, sizes
from bench.packing.play import first_fit, share, steps
from bench.packing.traces import SHAPES, Request, Trace, trace

ONE = Fleet("one host of each", (("A2",), ("A2",)))


def of(*requests: Request, fleet: Fleet = ONE) -> Trace:
    return Trace("by hand", fleet, 1.0, 0, requests)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: fleet.name)
def test_a_seed_gives_one_trace_and_another_seed_another(shape: str, fleet: Fleet) -> None:
    assert trace(shape, fleet, 1.0, 1) == trace(shape, fleet, 1.0, 1)
    assert trace(shape, fleet, 1.0, 1).requests != trace(shape, fleet, 1.0, 2).requests


@pytest.mark.parametrize("shape", ["uniform", "skewed", "bursty"])
def test_what_is_asked_for_is_the_load_and_at_most_one_group_more(shape: str) -> None:
    for fleet in FLEETS:
        asked, wanted = trace(shape, fleet, 0.85, 3).asked, 0.85 * fleet.memory
        assert wanted <= asked <= wanted + 8 * 16


def test_with_departures_the_load_is_what_is_there_at_one_time() -> None:
    for fleet in FLEETS:
        made = trace("departures", fleet, 1.0, 5)
        late = range(len(made.requests) // 3, len(made.requests), 7)
        there = [sum(made.requests[one].least for one in made.here(number)) for number in late]
        assert 0.7 * fleet.memory < sum(there) / len(there) < 1.3 * fleet.memory


def test_a_group_comes_in_one_step_and_who_ends_is_told_before_the_next() -> None:
    made = of(Request(1, 1, 0, until=2), Request(1, 1, 0), Request(2, 2, 1))
    assert list(steps(made)) == [([], [0, 1]), ([0], [2])]


def test_nobody_who_ended_is_there() -> None:
    made = of(Request(1, 1, 0, until=2), Request(1, 1, 1), Request(2, 2, 2))
    assert [made.here(number) for number in range(3)] == [[], [0], [1]]


def test_first_fit_by_hand_gives_machines_to_the_hosts_in_turn() -> None:
    eight = [Request(8, 8, n) for n in range(3)]
    assert first_fit(of(*eight, Request(4, 4, 3))) == {0, 1, 2}  # the fourth is the second host's, which is cut in 8
    assert first_fit(of(eight[0], Request(4, 4, 1), eight[1]), whole=True) == {0, 1, 2}


def test_what_is_accepted_counts_as_far_as_it_is_needed() -> None:
    assert share(of(Request(1, 4, 0), Request(8, 8, 1)), frozenset({0, 1})) == 9


def test_a_card_of_one_size_takes_no_other_and_a_linear_one_what_its_memory_holds() -> None:
    assert fits("A2", (4, 4, 4), 4)
    assert not fits("A2", (4, 4, 4, 4), 4)
    assert not fits("A2", (4,), 2)
    assert fits("linear", (8, 4), 4)
    assert not fits("linear", (8, 4, 4), 1)
    assert 24 in sizes("P40")
