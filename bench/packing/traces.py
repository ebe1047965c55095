"""Seeded traces: who asks for how much video memory and when, and when it is given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from bench.packing.cards import Fleet

SIZES = (1, 2, 4, 8, 16)
_SKEW = (16, 8, 4, 2, 1)  # as much memory is asked for in each size
_RANGES = 0.3


@dataclass(frozen=True, slots=True)
class Request:
    """A VM: at least and at most so many GiB; `until` is the arrival before which it ends, None where it stays.

    `group` is what arrives at once: all of it is asked for before any of it is carved.
    """

    least: int
    most: int
    group: int
    until: int | None = None

    def accepts(self, size: int) -> bool:
        """Whether a slice of this size will do."""
        return self.least <= size <= self.most


@dataclass(frozen=True, slots=True)
class Trace:
    """What is asked for in turn, of a fleet; `load` is the memory asked for over the memory there is.

    With departures it is that of what would be there at one time, on average.
    """

    shape: str
    fleet: Fleet
    load: float
    seed: int
    requests: tuple[Request, ...]

    @property
    def asked(self) -> int:
        """GiB in all, as far as each needs it."""
        return sum(one.least for one in self.requests)

    def here(self, number: int) -> list[int]:
        """Who may be there when a request arrives, by number: those that came before and have not ended."""
        return [n for n, one in enumerate(self.requests[:number]) if one.until is None or one.until > number]

    @property
    def name(self) -> str:
        return f"{self.shape} on {self.fleet.name} at {self.load:g}, seed {self.seed}"


def trace(shape: str, fleet: Fleet, load: float, seed: int) -> Trace:
    """The trace of that seed; the same arguments give the same one on every machine."""
    random = Random(f"{shape} {fleet.name} {load} {seed}")
    return Trace(shape, fleet, load, seed, tuple(SHAPES[shape](random, fleet, load)))


def _uniform(random: Random, fleet: Fleet, load: float) -> Iterator[Request]:
    """Every size as often as any other."""
    return _filling(random, fleet, load, (1,) * len(SIZES))


def _skewed(random: Random, fleet: Fleet, load: float) -> Iterator[Request]:
    """Many small ones."""
    return _filling(random, fleet, load, _SKEW)


def _filling(random: Random, fleet: Fleet, load: float, weights: tuple[int, ...]) -> Iterator[Request]:
    left, group = load * fleet.memory, 0
    while left > 0:
        size = random.choices(SIZES, weights)[0]
        left -= size
        yield _request(random, size, group)
        group += 1


def _bursty(random: Random, fleet: Fleet, load: float) -> Iterator[Request]:
    """Somebody starts up to eight equal machines at once."""
    left, group = load * fleet.memory, 0
    while left > 0:
        size, many = random.choices(SIZES, _SKEW)[0], random.randint(1, 8)
        left -= size * many
        one = _request(random, size, group)
        yield from (one for _ in range(many))
        group += 1


def _departures(random: Random, fleet: Fleet, load: float) -> Iterator[Request]:
    """Machines come and go: lives are long or short whatever the size, and the fleet is turned over three times."""
    weights = (4, 4, 3, 2, 1)
    mean = sum(size * weight for size, weight in zip(SIZES, weights, strict=True)) / sum(weights)
    there = load * fleet.memory / mean  # of all sizes, on average
    for number in range(round(3 * there)):
        until = number + 1 + int(random.expovariate(1 / there))
        yield _request(random, random.choices(SIZES, weights)[0], number, until)


def _request(random: Random, size: int, group: int, until: int | None = None) -> Request:
    """Most want a size and no other; some would take up to four times as much."""
    most = size * random.choice((2, 4)) if random.random() < _RANGES else size
    return Request(size, most, group, until)


SHAPES: Mapping[str, Callable[[Random, Fleet, float], Iterator[Request]]] = {
    "uniform": _uniform,
    "skewed": _skewed,
    "bursty": _bursty,
    "departures": _departures,
}
