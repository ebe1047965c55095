"""What each placement accepts of the same traces, as figures."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure
from bench.packing.ask import ALONE, OURS
from bench.packing.cards import FLEETS, SMALL
from bench.packing.optimum import Optimum, optimum
from bench.packing.play import first_fit, modelled, share
from bench.packing.real import Played, all_played
from bench.packing.traces import SHAPES, Trace, trace
from lab.loopback import control_plane
from lab.progress import step

_LOADS = (0.85, 1.3)  # beside the 1.0 of the real one
_SEEDS = 2
_OPTIMUM = "the offline optimum"


@dataclass(frozen=True, slots=True)
class Shares:
    """GiB accepted of a trace, by us and by each peer."""

    trace: Trace
    ours: int
    best: Optimum
    without: int
    by_hand: int
    one_host: int


def figures(quick: bool) -> Iterator[Figure]:
    """First what the real scheduler does, then more traces through the model of it."""
    traces = [trace(shape, fleet, 1.0, seed=0) for fleet in ((SMALL,) if quick else FLEETS) for shape in SHAPES]
    played = _played(traces)
    mine, alone = played[: len(traces)], played[len(traces) :]
    compared = [
        _compared(each, frozenset(a.accepted), b, 5 if quick else 15)
        for each, a, b in zip(traces, mine, _without(traces, alone), strict=True)
    ]
    yield from _against_the_optimum(compared)
    yield from _against_others(compared)
    yield _writes(mine)
    yield _fidelity(played)
    if not quick:
        yield from _trend()


def _played(traces: Sequence[Trace]) -> list[Played]:
    """All traces in our order, and then those of one fleet by the scheduler alone."""
    with TemporaryDirectory() as folder, control_plane(Path(folder)) as api:
        os.environ["KUBECONFIG"] = str(api.kubeconfig)
        tried = [*((each, OURS) for each in traces), *((each, ALONE) for each in traces[: len(SHAPES)])]
        return asyncio.run(all_played(tried, Path(folder) / "hosts"))


def _without(traces: Sequence[Trace], alone: Sequence[Played]) -> list[frozenset[int]]:
    """Whom the scheduler accepts alone: the real one as far as it was played, its model for the rest."""
    return [*(frozenset(one.accepted) for one in alone), *(modelled(each, ALONE) for each in traces[len(alone) :])]


def _compared(each: Trace, accepted: frozenset[int], alone: frozenset[int], seconds: float) -> Shares:
    with step(f"the optimum of {each.name}"):
        best = optimum(each, seconds)
    mine = share(each, accepted)
    if mine > best.bound:
        raise AssertionError(f"{each.name}: {mine} GiB were accepted, more than the optimum's {best.bound}")
    return Shares(
        each, mine, best, share(each, alone), share(each, first_fit(each)), share(each, first_fit(each, whole=True))
    )


def _against_the_optimum(compared: Sequence[Shares]) -> Iterator[Figure]:
    samples = tuple(one.ours / one.best.bound for one in compared)
    proved = sum(one.best.found == one.best.bound for one in compared)
    worst = min(compared, key=lambda one: one.ours / one.best.bound)
    yield Figure(
        name="VRAM accepted, median of the traces",
        value=statistics.median(samples),
        unit="x",
        peer=_OPTIMUM,
        goal=0.97,
        better="higher",
        samples=samples,
        note=f"as much is asked for as there is; the optimum is known exactly on {proved} of {len(compared)} traces, "
        f"on the others the peer is its upper bound; the lowest is {min(samples):.3f} ({worst.trace.name})",
    )


def _against_others(compared: Sequence[Shares]) -> Iterator[Figure]:
    """The lowest of all traces: never below is the goal."""
    for peer, samples, goal in (
        ("the scheduler without `open`", [one.ours / one.without for one in compared], 1.0),
        ("first fit on one host at a time", [one.ours / one.by_hand for one in compared], 1.0),
        ("first fit with all cards in one host", [one.ours / one.one_host for one in compared], None),
    ):
        yield Figure(
            name=f"VRAM accepted against {peer}, lowest of the traces",
            value=min(samples),
            unit="x",
            peer=peer,
            goal=goal,
            better="higher",
            samples=tuple(samples),
            note=f"median {statistics.median(samples):.3f}",
        )


def _writes(mine: Sequence[Played]) -> Figure:
    carves, slices = sum(one.carves for one in mine), sum(one.slices for one in mine)
    statuses = sum(one.statuses for one in mine)
    return Figure(
        name="API writes per carve",
        value=(slices + statuses) / carves,
        unit="writes",
        peer="1, the claim's own status",
        goal=2.0,
        samples=tuple((one.slices + one.statuses) / one.carves for one in mine),
        note=f"{carves} carves and as many releases: {statuses} of claim status, {slices} of slices",
    )


def _fidelity(played: Sequence[Played]) -> Figure:
    """How far the figures of the model can be believed."""
    surprises = [words for one in played for words in one.surprises]
    placed = sum(len(one.accepted) for one in played)
    return Figure(
        name="choices that the model of the scheduler does not know",
        value=100 * len(surprises) / placed,
        unit="%",
        peer=f"all {placed} choices of the real one",
        note=f"the peer without `open` is the real scheduler on one fleet and the model on the others; "
        f"{sum(one.asked_again for one in played)} refusals were of older news and asked for again",
    )


def _trend() -> Iterator[Figure]:
    """With fuller and emptier fleets, by the model."""
    for load in _LOADS:
        traces = [trace(s, f, load, seed) for seed in range(1, 1 + _SEEDS) for f in FLEETS for s in SHAPES]
        compared = [_compared(each, modelled(each, OURS), modelled(each, ALONE), 2) for each in traces]
        samples = tuple(one.ours / one.best.bound for one in compared)
        below = sum(one.ours < max(one.without, one.by_hand) for one in compared)
        yield Figure(
            name="VRAM accepted by the model, median, by percent of the memory that is asked for",
            value=statistics.median(samples),
            unit="x",
            peer=_OPTIMUM,
            better="higher",
            samples=samples,
            at=100 * load,
            note=f"{len(traces)} traces, the lowest {min(samples):.3f}; on {below} of them below another peer",
        )
