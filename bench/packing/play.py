"""Traces played through a placement, one after the other or all of a group at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from random import Random

from bench.packing.allocator import Given, Model
from bench.packing.ask import Order, asked
from bench.packing.cards import fits, sizes
from bench.packing.traces import Trace


def steps(trace: Trace) -> Iterator[tuple[list[int], list[int]]]:
    """Who has ended since the step before, and who comes now; by number, a group in one step."""
    ends: dict[int, list[int]] = defaultdict(list)
    for number, one in enumerate(trace.requests):
        if one.until is not None:
            ends[one.until].append(number)
    groups: dict[int, list[int]] = defaultdict(list)
    for number, one in enumerate(trace.requests):
        groups[one.group].append(number)
    for group in groups.values():
        yield [n for number in group for n in ends[number]], group


def modelled(trace: Trace, order: Order, seed: int = 0) -> frozenset[int]:
    """Who is accepted by the model of the scheduler; between equal nodes the seed decides, as chance does there."""
    model, random, got = Model(trace.fleet), Random(f"{seed} {trace.name}"), dict[int, Given]()
    accepted = set()
    for ended, come in steps(trace):
        for number in ended:
            if number in got:
                model.release(got.pop(number), asked(trace.requests[number], order))
        model.publish()
        for number in come:
            if choices := model.choices(wanted := asked(trace.requests[number], order)):
                got[number] = random.choice(choices)
                model.take(got[number], wanted)
                accepted.add(number)
    return frozenset(accepted)


def first_fit(trace: Trace, whole: bool = False) -> frozenset[int]:
    """Who is accepted where each host is on its own, as with LibVF.IO.

    Machines are given to the hosts in turn, and there to the first card that takes them, in the smallest size that will
    do. `whole` is a single host with all cards.
    """
    cards = [(kind, list[int]()) for kind in trace.fleet.cards]
    got: dict[int, tuple[int, int]] = {}
    accepted = set()
    for ended, come in steps(trace):
        for number in ended:
            if number in got:
                place, size = got.pop(number)
                cards[place][1].remove(size)
        for number in come:
            if found := _fit(trace, number, cards, _mine(trace, number, whole)):
                got[number] = found
                cards[found[0]][1].append(found[1])
                accepted.add(number)
    return frozenset(accepted)


def share(trace: Trace, accepted: frozenset[int]) -> int:
    """GiB that were accepted, of `trace.asked`."""
    return sum(trace.requests[number].least for number in accepted)


def _mine(trace: Trace, number: int, whole: bool) -> range:
    """The cards of the host whose turn it is, by their number in the fleet."""
    if whole:
        return range(len(trace.fleet.cards))
    host = number % len(trace.fleet.hosts)
    before = sum(len(kinds) for kinds in trace.fleet.hosts[:host])
    return range(before, before + len(trace.fleet.hosts[host]))


def _fit(trace: Trace, number: int, cards: list[tuple[str, list[int]]], mine: range) -> tuple[int, int] | None:
    for place in mine:
        kind, held = cards[place]
        for size in sizes(kind):
            if trace.requests[number].accepts(size) and fits(kind, tuple(held), size):
                return place, size
    return None
