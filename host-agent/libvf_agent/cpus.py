"""Which CPUs of a NUMA node a cell gets: whole cores of one cache first, never the host's reserve. Pure.

Two guests on the threads of one core share its units and its first caches, and cores beside each other share the last
one: so a cell gets whole cores, of one cache where it fits there. It is put where it leaves least, so that what comes
later finds whole caches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class Cpu:
    """A CPU as the kernel numbers it; `core` and `cache` are the lowest CPU of its core and of its last cache."""

    number: int
    core: int
    cache: int


def parsed(text: str) -> tuple[int, ...]:
    """The CPUs of a list as the kernel writes it, "0-3,8"; none of what is no list."""
    found: list[int] = []
    for part in filter(None, text.strip().split(",")):
        match = _RANGE.fullmatch(part)
        if match is None:
            return ()
        first = int(match[1])
        found += range(first, int(match[2] or first) + 1)
    return tuple(found)


def ranges(numbers: Iterable[int]) -> str:
    """As the kernel writes a list: {0, 1, 2, 8} -> "0-2,8"."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def in_order(numbers: Iterable[int]) -> str:
    """In the order they are in, for who gives them to virtual CPUs one by one; the kernel reads that too."""
    return ",".join(map(str, numbers))


def reserve(cpus: Iterable[Cpu], cores: int, isolated: frozenset[int]) -> frozenset[int]:
    """The lowest whole cores: those that the kernel schedules on by itself before isolated ones (isolcpus)."""
    by_core = _cores(cpus)
    listed = sorted(by_core.values(), key=lambda core: (core[0].number in isolated, core[0].number))
    return frozenset(cpu.number for core in listed[:cores] for cpu in core)


def chosen(cpus: Iterable[Cpu], taken: frozenset[int], count: int) -> tuple[int, ...]:
    """So many CPUs that nobody has, those of one core beside each other; fewer where there are not as many."""
    listed = [*cpus]
    caches: dict[int, list[Cpu]] = {}
    for cpu in listed:
        caches.setdefault(cpu.cache, []).append(cpu)
    found = [_Cache(number, _cores(of), taken) for number, of in sorted(caches.items())]
    fitting = [cache for cache in found if cache.free >= count]
    if fitting:
        best = min(fitting, key=lambda cache: (cache.parted(count), cache.free, cache.number))
        return best.first(count)
    picked: list[int] = []
    for cache in sorted(found, key=lambda cache: (-cache.free, cache.number)):
        picked += cache.first(count - len(picked))
    return tuple(picked)


def threads(cpus: Iterable[Cpu], picked: Iterable[int]) -> int:
    """How many threads each core of a cell has; 1 where it has not all of each core, as none is then a guest's own."""
    mine, by_core = set(picked), _cores(cpus)
    parts = {(len(core), sum(cpu.number in mine for cpu in core)) for core in by_core.values()}
    sizes = {size for size, held in parts if held}
    whole = all(held in (0, size) for size, held in parts)
    return sizes.pop() if whole and len(sizes) == 1 else 1


class _Cache:
    """The cores that share a last cache, and what of them is free."""

    def __init__(self, number: int, cores: dict[int, list[Cpu]], taken: frozenset[int]) -> None:
        self.number = number
        left = [([cpu.number for cpu in core if cpu.number not in taken], len(core)) for core in cores.values()]
        self._whole = [free for free, size in left if len(free) == size]
        self._broken = sorted((free for free, size in left if 0 < len(free) < size), key=len)
        self.free = sum(map(len, (*self._whole, *self._broken)))

    def first(self, count: int) -> tuple[int, ...]:
        """Whole cores, then what is left of cores that others are on, and a part of a whole one last."""
        picked: list[int] = []
        later: list[int] = []
        for core in self._whole:
            if len(core) <= count - len(picked):
                picked += core
            else:
                later += core
        rest = [number for core in self._broken for number in core]
        return tuple([*picked, *rest, *later][:count])

    def parted(self, count: int) -> int:
        """How many of these would share a core with somebody else."""
        got = set(self.first(count))
        return count - sum(len(core) for core in self._whole if got.issuperset(core))


def _cores(cpus: Iterable[Cpu]) -> dict[int, list[Cpu]]:
    found: dict[int, list[Cpu]] = {}
    for cpu in sorted(cpus, key=lambda cpu: cpu.number):
        found.setdefault(cpu.core, []).append(cpu)
    return found
