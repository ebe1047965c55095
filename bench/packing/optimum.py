"""The offline optimum: the most that any placement of a trace could accept, by OR-Tools' CP-SAT.

It knows the whole trace before it begins, and may refuse what fits so that something better comes in later. Cards of
one kind are counted and not told apart, which makes it small enough to be solved to the end. Where nothing leaves, that
is exact: sizes of a linear card divide each other, so they fill it without a gap; and of cards of one size at a time
just their number by size counts. With departures it is the optimum of somebody who may also move machines between
equal cards at any time, at no cost. That is an upper bound for everybody who may not, as nobody here may: a machine's
GPU does not move while it runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from ortools.sat.python import cp_model

from bench.packing.cards import LINEAR, ONE_SIZE, memory, sizes
from bench.packing.traces import Trace

Slot = tuple[str, int]  # a kind of card, and a size on it


@dataclass(frozen=True, slots=True)
class Optimum:
    """GiB accepted: the best that was found, and what nobody exceeds. They are equal where it was solved to the end."""

    found: int
    bound: int


def optimum(trace: Trace, seconds: float) -> Optimum:
    """Within so many seconds; the bound holds however few they are."""
    model = cp_model.CpModel()
    taken = _taken(model, trace)
    _on_cards(model, trace, taken)
    model.maximize(sum(trace.requests[n].least * var for n, slots in taken.items() for var in slots.values()))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = trace.seed
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Optimum(0, trace.asked)
    return Optimum(round(solver.objective_value), min(trace.asked, int(solver.best_objective_bound + 1e-6)))


def _taken(model: Any, trace: Trace) -> dict[int, dict[Slot, Any]]:
    """For each request whether it is met, and in which way."""
    slots = [(kind, size) for kind in dict.fromkeys(trace.fleet.cards) for size in sizes(kind)]
    taken = {
        n: {slot: model.new_bool_var(f"{n} as {slot}") for slot in slots if one.accepts(slot[1])}
        for n, one in enumerate(trace.requests)
    }
    for ways in taken.values():
        model.add_at_most_one(ways.values())
    return taken


def _on_cards(model: Any, trace: Trace, taken: dict[int, dict[Slot, Any]]) -> None:
    """What is there at one time is on the cards that there are."""
    for moment in _moments(trace):
        there: dict[Slot, list[Any]] = defaultdict(list)
        for n in [*trace.here(moment), moment]:
            for slot, var in taken[n].items():
                there[slot].append(var)
        for kind, number in Counter(trace.fleet.cards).items():
            if kind == LINEAR:
                used = sum(size * var for size in sizes(kind) for var in there[kind, size])
                model.add(used <= number * memory(kind))
                continue
            cut = {size: model.new_int_var(0, number, f"{kind} as {size} at {moment}") for size in sizes(kind)}
            model.add(sum(cut.values()) <= number)
            for size, most in ONE_SIZE[kind].items():
                model.add(sum(there[kind, size]) <= most * cut[size])


def _moments(trace: Trace) -> list[int]:
    """The last arrivals before somebody ends, and the last of all: up to there what is there only grows."""
    last = len(trace.requests) - 1
    return sorted({one.until - 1 for one in trace.requests if one.until is not None and one.until <= last} | {last})
