"""How many vGPUs of a size an NVIDIA card takes, and where they may lie on one that mixes sizes. Pure; in GiB.

Source: NVIDIA Virtual GPU Software User Guide 19 and 20, "Virtual GPU Types Reference" and "vGPU Placements for
GPUs in Mixed-Size Mode". A vGPU of s GiB at place p has the memory from p to p + s. The driver itself takes the
first place of its table that is free, or the one that it is told (open-gpu-kernel-modules, kernel_vgpu_mgr.c:
kvgpumgrSetPlacementId).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

MOST = 32  # ctrla081.h: NVA081_MAX_VGPU_PER_PGPU
MOST_HALVES = 16  # no table has more places of one size
MOST_SLOTS = 63  # with the counter of vGPUs, what a device may draw on: two sets of 32 counters

_HALVED = frozenset({24, 40, 48, 80, 94})
_EVEN = frozenset({96})
_FULL = frozenset({16, 24, 48, 96})


def equal(total: int, size: int) -> int:
    """How many of one size fit on a card that takes one size only.

    As often as the size goes into the card on the cards whose table was seen; on others (a table may say less,
    as 16 for 8 GiB of 141) no more than there are places for it when it mixes.
    """
    fits = min(total // size, MOST)
    return fits if total in _FULL else min(fits, len(_halved(total, size)))


def mixed(total: int, size: int) -> tuple[int, ...]:
    """Where a vGPU may lie on a card that mixes sizes.

    The published tables follow one of two rules. The older ones (cards of 24, 40, 48, 80 and 94 GiB) halve the
    card as long as the size fits, and lay a vGPU at the outer ends of each pair. The newest one (96 GiB) takes
    every multiple of the size. Of a card whose table is not known only places are used that both rules have: less
    than it could hold, but never one that it does not know.
    """
    halved, even = _halved(total, size), _even(total, size)
    if total in _HALVED:
        return halved
    return even if total in _EVEN else tuple(place for place in halved if place in even)


def _even(total: int, size: int) -> tuple[int, ...]:
    """Every multiple; none where that is more than the driver counts to, as it is not known which it leaves out."""
    return tuple(range(0, total - size + 1, size)) if total // size <= MOST else ()


def _halved(total: int, size: int) -> tuple[int, ...]:
    """The outer ends of pairs of halves: 0, 16, 24 and 40 for 8 GiB of 48."""
    if size > total:
        return ()
    parts = [(0, total)]
    while len(parts) < MOST_HALVES and min(length // 2 for _, length in parts) >= size:
        halves = [((start, length // 2), (start + length // 2, length - length // 2)) for start, length in parts]
        parts = [half for pair in halves for half in pair]
    return tuple(start if n % 2 == 0 else start + length - size for n, (start, length) in enumerate(parts))


def edges(total: int, places: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
    """Where slots begin and end: wherever a vGPU of any size may, so that slots tell exactly who overlaps.

    `places` are those of each size. Where that would be more slots than a device may draw on, they are equal and
    coarser: neighbours that share one exclude each other, although the card would take both.
    """
    ends = {p + ends for size, of_size in places.items() for p in of_size for ends in (0, size)}
    exact = tuple(sorted({0, total, *ends}))
    if len(exact) - 1 <= MOST_SLOTS:
        return exact
    step = -(-total // MOST_SLOTS)
    return (*range(0, total, step), total)


def covered(ends: tuple[int, ...], place: int, size: int) -> tuple[int, ...]:
    """The slots that a vGPU lies in."""
    slots = enumerate(pairwise(ends))
    return tuple(slot for slot, (start, end) in slots if start < place + size and end > place)
