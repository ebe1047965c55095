"""`python -m bench.packing.orders [SEEDS]`: the orders that were tried, by the model of the scheduler.

The operator's own is the one that the traces prefer; docs/packing.md has the table that this prints.
"""

import statistics
import sys
from collections.abc import Iterator

from bench.packing.ask import ALONE, OURS, Json, Order, among, conditions
from bench.packing.cards import FLEETS
from bench.packing.play import first_fit, modelled, share
from bench.packing.traces import SHAPES, Request, Trace, trace

LOADS = (0.85, 1.0, 1.3)


def _open_then_any(one: Request, far: bool = False) -> Json:
    """Whatever the size, the card that is cut in it before one that is not."""

    def chosen(listed: dict[str, Json]) -> list[Json]:
        return [_of_any_size(listed["open"]), *(_steps(listed) if far else []), listed["any"]]

    return among(one, chosen)


def _open_then_any_far(one: Request) -> Json:
    return _open_then_any(one, far=True)


def _open_of_any_size(one: Request) -> Json:
    """The nearest size on an open card, then a larger one there, before a card is opened."""

    def chosen(listed: dict[str, Json]) -> list[Json]:
        return [
            listed["open"],
            _of_any_size(listed["open"]),
            *_steps(listed)[:4],
            listed.get("near", listed["any"]),
            listed["any"],
        ]

    return among(one, chosen)


def _of_any_size(alternative: Json) -> Json:
    """Without the bound that makes a size the nearest."""
    wanted = [each for each in conditions(alternative) if not each.endswith("< 0")]
    return {**alternative, "selectors": [{"cel": {"expression": each}} for each in wanted]}


def _steps(listed: dict[str, Json]) -> list[Json]:
    return [each for name, each in listed.items() if name.startswith("step-")]


ORDERS = (
    ALONE,
    Order("`open`, `any`", _open_then_any, alike=False),
    Order("`open`, far behind it `any`", _open_then_any_far, alike=False),
    Order("`open`, far behind it `any`; equal machines together", _open_then_any_far),
    Order("nearest size first", OURS.devices, alike=False),
    Order("nearest size first, then a larger open one; equal machines together", _open_of_any_size),
    Order("nearest size first; equal machines together (the operator's own)", OURS.devices),
)


def table(seeds: int) -> Iterator[str]:
    """Markdown: the share that is accepted, over the smaller of what is asked for and what the cards have."""
    traces = [trace(s, f, load, seed) for load in LOADS for seed in range(seeds) for s in SHAPES for f in FLEETS]
    yield f"| order | mean | median | {' | '.join(SHAPES)} |"
    yield f"|---|---|---|{'---|' * len(SHAPES)}"
    for order in ORDERS:
        yield _row(order.name, traces, [share(each, modelled(each, order)) for each in traces])
    yield _row("first fit on one host at a time", traces, [share(each, first_fit(each)) for each in traces])
    yield _row("first fit, all cards in one host", traces, [share(each, first_fit(each, True)) for each in traces])


def _row(name: str, traces: list[Trace], accepted: list[int]) -> str:
    shares = [share / _most(each) for each, share in zip(traces, accepted, strict=True)]
    by_shape = [statistics.mean(s for t, s in zip(traces, shares, strict=True) if t.shape == shape) for shape in SHAPES]
    values = (statistics.mean(shares), statistics.median(shares), *by_shape)
    return f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |"


def _most(each: Trace) -> int:
    """What nobody exceeds: all of it, or, where nothing leaves, the memory of the cards."""
    return each.asked if each.shape == "departures" else min(each.asked, each.fleet.memory)


if __name__ == "__main__":
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else 2):
        print(line, flush=True)
