"""The optimum is what trying everything finds."""

from itertools import product
from random import Random

import pytest

pytest.importorskip("ortools", reason="what the bench alone needs is not among the tests' packages")

from bench.packing.cards import Fleet, fits, sizes
from bench.packing.optimum import optimum
from bench.packing.traces import Request, Trace

FLEET = Fleet("two cards", (("A2", "linear"),))
MIXED = Fleet("three cards", (("A2", "P40"), ("A2",)))


def tried(trace: Trace) -> int:
    """The best of all ways to put requests on cards, or to refuse them."""
    cards = trace.fleet.cards
    ways = [
        [None, *((place, size) for place, kind in enumerate(cards) for size in sizes(kind) if one.accepts(size))]
        for one in trace.requests
    ]
    best = 0
    for chosen in product(*ways):
        value = sum(one.least for one, way in zip(trace.requests, chosen, strict=True) if way)
        if value > best and all(_holds(trace, chosen, number) for number in range(len(chosen))):
            best = value
    return best


def _holds(trace: Trace, chosen: tuple[tuple[int, int] | None, ...], number: int) -> bool:
    held: list[list[int]] = [[] for _ in trace.fleet.cards]
    for one in [*trace.here(number), number]:
        if way := chosen[one]:
            if not fits(trace.fleet.cards[way[0]], tuple(held[way[0]]), way[1]):
                return False
            held[way[0]].append(way[1])
    return True


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("fleet", [FLEET, MIXED], ids=lambda fleet: fleet.name)
def test_it_is_exact_where_nothing_leaves(seed: int, fleet: Fleet) -> None:
    random = Random(seed)
    requests = tuple(Request(n, n * random.choice((1, 2)), k) for k in range(5) for n in [random.choice((4, 8, 16))])
    trace = Trace("random", fleet, 1.0, seed, requests)
    found = optimum(trace, 10)
    assert found.found == found.bound == tried(trace)


@pytest.mark.parametrize("seed", range(12))
def test_with_departures_nobody_exceeds_it(seed: int) -> None:
    random = Random(seed)
    requests = tuple(Request(n, n, k, k + random.randint(1, 4)) for k in range(6) for n in [random.choice((4, 8, 16))])
    trace = Trace("random", FLEET, 1.0, seed, requests)
    assert optimum(trace, 10).bound >= tried(trace)


def test_it_refuses_what_fits_for_something_better() -> None:
    trace = Trace("by hand", Fleet("one", (("A2",),)), 1.0, 0, (Request(1, 1, 0), Request(16, 16, 1)))
    assert optimum(trace, 10).found == 16
