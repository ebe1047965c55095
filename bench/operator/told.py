"""From what was measured to figures. Pure."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from libvf_operator.reconcile import RESYNC_SECONDS

from bench.figures import Figure
from bench.growth import exponent
from bench.operator.documents import OBJECTS_A_MACHINE
from bench.spread import percentile

_EMPTY = "the operator without machines"
_TOLD = 0.1  # CPU seconds: the kernel counts in hundredths, and a start has some of its own
_WRITES = 6  # the least that could do: a partition, two claims and a Pod, and the status of machine and partition


@dataclass(frozen=True, slots=True)
class AtSize:
    """What was measured with so many machines: CPU in seconds and memory in bytes, all above the empty operator's.

    `born` is how many machines came new to this size, and `birth` what they cost; `settle` what a start beside all of
    them costs. `idle` is a share of one core without the sweep over everything, which takes `sweep` once in a while;
    `lags` are seconds from a change to a status that speaks of it.
    """

    size: int
    born: int
    birth: float
    settle: float
    rss: int
    pss: int
    idle: float
    sweep: float
    lags: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Churn:
    """So many machines replaced in so many seconds: the operator's memory meanwhile, and its lags."""

    seconds: float
    replaced: int
    rss: tuple[int, ...]
    lags: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """Requests of so many whole lives, by verb and resource."""

    lives: int
    requests: Counter[str] = field(default_factory=Counter)


def figures(sizes: Sequence[AtSize], life: Life, churn: Churn) -> Iterator[Figure]:
    """All of the topic."""
    yield from _cpu("birth", _births(sizes))
    yield from _cpu("start", {each.size: each.settle for each in sizes})
    for each in sizes:
        yield from _memory("RSS", each.size, each.rss)
    for each in sizes:
        yield from _memory("PSS", each.size, each.pss)
    for each in sizes:
        note = f"with kubelets' heartbeats, and one sweep over everything in ten minutes, {each.sweep:.1f} s of CPU"
        share = 100 * (each.idle + each.sweep / RESYNC_SECONDS)
        yield Figure(name="idle CPU", value=share, unit="% of a core", peer="a core", goal=1.0, at=each.size, note=note)
    yield _requests(life)
    yield from _lags(sizes, churn)
    yield _flat(churn)


def _births(sizes: Sequence[AtSize]) -> dict[float, float]:
    """The CPU of all births up to each size."""
    return {each.size: sum(other.birth for other in sizes if other.size <= each.size) for each in sizes}


def _cpu(name: str, of: dict[float, float]) -> Iterator[Figure]:
    for size, seconds in of.items():
        machine = 1000 * seconds / size
        yield Figure(name=f"CPU of a {name}, per VM", value=machine, unit="ms", peer=_EMPTY, at=size)
        each = machine / OBJECTS_A_MACHINE
        yield Figure(name=f"CPU of a {name}, per object", value=each, unit="ms", peer=_EMPTY, goal=1.0, at=size)
    told = {size: seconds for size, seconds in of.items() if seconds >= _TOLD}
    if len(told) > 1:
        value = exponent(told)
        yield Figure(name=f"growth of the CPU of {name}s", value=value, unit="exponent", peer="size", goal=1.05)


def _memory(kind: str, size: int, grown: int) -> Iterator[Figure]:
    machine = grown / size / 1000
    yield Figure(name=f"{kind} per VM", value=machine, unit="KB", peer=_EMPTY, at=size)
    each = machine / OBJECTS_A_MACHINE
    yield Figure(name=f"{kind} per object", value=each, unit="KB", peer=_EMPTY, goal=15.0, at=size)


def _requests(life: Life) -> Figure:
    each = sum(life.requests.values()) / life.lives
    told = ", ".join(f"{count / life.lives:.1f} {what}" for what, count in life.requests.most_common())
    peer = f"{_WRITES}, each child and each status once"
    return Figure(name="API requests in a VM's life", value=each / _WRITES, unit="x", peer=peer, note=told)


def _lags(sizes: Sequence[AtSize], churn: Churn) -> Iterator[Figure]:
    """How long a change waits, against the smallest size: a handler that lags would show here."""
    first = statistics.median(sizes[0].lags)
    peer = f"a change beside {sizes[0].size:,} machines"
    for each in sizes[1:]:
        middle = statistics.median(each.lags)
        note = f"{1000 * middle:.0f} ms; {1000 * percentile(each.lags, 100):.0f} ms at most"
        yield Figure(name="lag of a change", value=middle / first, unit="x", peer=peer, note=note, at=each.size)
    middle, worst = statistics.median(churn.lags), percentile(churn.lags, 99)
    note = f"{1000 * middle:.0f} ms at the median, {1000 * worst:.0f} ms at the 99th percentile"
    name, ratios = "lag of a change in the churn", tuple(each / first for each in churn.lags)
    yield Figure(name=name, value=middle / first, unit="x", peer=peer, note=note, samples=ratios)


def _flat(churn: Churn) -> Figure:
    quarter = max(1, len(churn.rss) // 4)
    early, late = (statistics.fmean(part) for part in (churn.rss[quarter : 2 * quarter], churn.rss[-quarter:]))
    note = (
        f"{churn.replaced:,} machines replaced in {churn.seconds / 60:.0f} minutes, {late / 2**20:.0f} MiB at its end"
    )
    peer = "the second quarter of the churn"
    return Figure(name="memory in its last quarter", value=late / early, unit="x", peer=peer, goal=1.05, note=note)
