"""What a card offers, as devices that draw on shared counters: pure, and the only place that knows the
encoding.

Three encodings (dra.md). *Linear*: every type costs so much of each of the card's pools. *Locks*: cards that
take one size at a time; there is a lock for each slot, and the i-th device of a size takes so much of lock i
that only others of its size fit beside it (see `_locks`). So sizes exclude each other, exactly. *Places*: cards
that mix sizes, each at places of its own; a device takes the slots it covers. A whole card is one more device
that takes everything.

A device that somebody else made takes what a device of ours would take; the capacity published is what is
left. Names and order are the packing policy: the allocator is first fit, so the smallest come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from libvf_agent.inventory import Carving, Gpu, Offer, Offers, SliceType

Amounts = dict[str, int]
Device = tuple[str, SliceType]

ALL = "card"
"""The one counter of a card that is only handed out whole."""

MOST = 256
"""Devices of one type on a card: no card takes more, and a driver that says so is not believed."""


def offers_of(gpu: Gpu, ours: Mapping[str, str]) -> Offers:
    """The card's offers; `ours` maps the ids of our carvings to the names of their devices.

    What is only ready to be used and not ours counts as free; what the rules do not allow, or what is closed, is
    offered only where it is ours already, as an allocated device is never withdrawn.
    """
    gpu = replace(gpu, carvings=tuple(c for c in gpu.carvings if c.in_use or c.id in ours))
    encoding = _encoded(gpu, set(ours.values()))
    foreign = [c for c in gpu.carvings if c.id not in ours]
    here = [ours[c.id] for c in gpu.carvings if c.id in ours]
    left = _less(encoding.total, _taken(encoding, foreign, here))
    held = {_size(gpu, c) for c in gpu.carvings}
    devices = [
        Offer(name, kind, tuple(sorted(encoding.cost[name].items())), _is_open(gpu, kind, held))
        for name, kind in encoding.devices
        if (gpu.rules.allows(kind.mode, kind.id) and not kind.closed) or name in here
    ]
    return Offers(gpu, tuple(sorted(left.items())), tuple(devices))


def totals(gpu: Gpu) -> Amounts:
    """The size of each pool of a linear card: used plus free in the type that shows most of it.

    A lower bound where pools run out unevenly (GVT-g), so the most that was ever seen counts.
    """
    used: Counter[str] = Counter()
    for carving in gpu.carvings:
        used.update(dict(_known(gpu, carving)))
    seen = dict(gpu.totals)
    kinds = [kind for kind in gpu.types if kind.cost]
    return {
        pool: max(seen.get(pool, 0), used[pool] + max(k.available * dict(k.cost).get(pool, 0) for k in kinds))
        for pool in sorted({pool for kind in kinds for pool, _ in kind.cost})
    }


def type_of_device(gpu: Gpu, device: str) -> SliceType | None:
    """The type a device's name stands for: the name is the type id's tail, a dash and a number."""
    return next((kind for kind in gpu.types if device.rpartition("-")[0] == stem(kind)), None)


def stem(kind: SliceType) -> str:
    """A DNS label from a type id: "gvtg-v5-4" of "i915-GVTg_V5_4"."""
    return "".join(c if c.isalnum() else "-" for c in kind.id.partition("-")[2].lower())


@dataclass(frozen=True, slots=True)
class _Encoding:
    """Every device by name, what it takes, and the card's totals."""

    devices: list[Device]
    cost: dict[str, Amounts]
    total: Amounts


def _encoded(gpu: Gpu, ours: set[str]) -> _Encoding:
    """The devices of all sizes, and the whole card that takes what all of them together could."""
    cut = replace(gpu, types=tuple(kind for kind in gpu.types if not kind.whole))
    encoding = _locks(cut) if gpu.homogeneous else _placed(cut) if gpu.slots else _linear(cut, ours)
    total = encoding.total or {ALL: 1}
    whole = [(f"{stem(kind)}-0", kind) for kind in gpu.types if kind.whole]
    costs = {name: dict(total) for name, _ in whole}
    return _Encoding([*encoding.devices, *whole], {**encoding.cost, **costs}, total)


def _ordered(gpu: Gpu) -> list[SliceType]:
    return sorted(gpu.types, key=lambda kind: (kind.vram, kind.cost, kind.id))


def _linear(gpu: Gpu, ours: set[str]) -> _Encoding:
    """Every type as often as the totals hold it.

    A name of ours stays offered whatever the totals say: an allocated device is never withdrawn.
    """
    total = totals(gpu)
    devices = [
        (f"{stem(kind)}-{i}", kind)
        for kind in _ordered(gpu)
        for i in range(max(_fits(kind, total), _above(ours, kind)))
    ]
    return _Encoding(devices, {name: dict(kind.cost) for name, kind in devices}, total)


def _above(ours: set[str], kind: SliceType) -> int:
    """One more than the highest number of ours among this type's names."""
    splits = (name.rpartition("-") for name in ours)
    return max((int(n) + 1 for head, _, n in splits if head == stem(kind) and n.isdecimal()), default=0)


def _known(gpu: Gpu, carving: Carving) -> tuple[tuple[str, int], ...]:
    kind = gpu.type(carving.type)
    return kind.cost if kind else ()


def _fits(kind: SliceType, total: Amounts) -> int:
    return min(MOST, min((total[pool] // amount for pool, amount in kind.cost if amount), default=0))


def _locks(gpu: Gpu) -> _Encoding:
    """Sizes are groups of types with the same framebuffer: the driver mixes series, never sizes.

    Sizes are ranked, fewest instances first, and weigh so much that one device of a rank is more than all but one
    of any rank below it: w(k) = 1 + max over j < k of (n(j) - 1) w(j). Every device takes its weight of every
    lock, and of the lock of its own slot all that the others of its size leave. So a lock is exactly full with
    one size, and a device of a heavier one is too much beside it. The last rank needs no locks of its own, so
    there are as many as the second largest count: 24 for 32/24/16/12/8/6/4/3/2/1, where two sets of 32 counters
    is what a device may draw on.
    """
    counts: dict[int, int] = {}
    for kind in gpu.types:
        counts[kind.vram] = min(MOST, max(counts.get(kind.vram, 0), kind.limit or 0))
    ranked = sorted((count, size) for size, count in counts.items() if count)
    if not ranked:
        return _Encoding([], {}, {})
    weights = _weights([count for count, _ in ranked])
    whole = ranked[-1][0] * weights[-1]
    locks = [f"lock-{i}" for i in range(ranked[-2][0] if len(ranked) > 1 else 1)]
    rank = {size: number for number, (_, size) in enumerate(ranked)}
    devices = [(f"{stem(kind)}-{i}", kind) for kind in _ordered(gpu) for i in range(min(kind.limit or 0, MOST))]
    cost: dict[str, Amounts] = {}
    for name, kind in devices:
        number, slot = rank[kind.vram], int(name.rpartition("-")[2])
        cost[name] = dict.fromkeys(locks, weights[number])
        if number < len(ranked) - 1:
            cost[name][locks[slot]] = whole - (ranked[number][0] - 1) * weights[number]
    return _Encoding(devices, cost, dict.fromkeys(locks, whole))


def _weights(counts: list[int]) -> list[int]:
    weights: list[int] = []
    for _ in counts:
        weights.append(1 + max(((n - 1) * w for n, w in zip(counts, weights, strict=False)), default=0))
    return weights


def _placed(gpu: Gpu) -> _Encoding:
    """Every type at every place it may lie at; two devices that cover one slot exclude each other.

    What a device costs beside its place, such as a virtual function, is drawn from the card's totals.
    """
    devices: list[Device] = []
    cost: dict[str, Amounts] = {}
    for kind in _ordered(gpu):
        for place, covered in kind.places:
            devices.append((f"{stem(kind)}-{place}", kind))
            cost[f"{stem(kind)}-{place}"] = {**dict(kind.cost), **{f"slot-{slot}": 1 for slot in covered}}
    return _Encoding(devices, cost, {**dict(gpu.totals), **{f"slot-{slot}": 1 for slot in range(gpu.slots)}})


def _taken(encoding: _Encoding, foreign: list[Carving], ours: list[str]) -> Counter[str]:
    """What the foreign devices take, each counted as the last place of its type that is still free."""
    taken: Counter[str] = Counter()
    kinds = dict(encoding.devices)
    spoken_for = {_seat(name, kinds[name]) for name in ours if name in kinds}
    for carving in foreign:
        seats = ((n, k) for n, k in reversed(encoding.devices) if k.id == carving.type and _lies_at(carving, n))
        name = next((n for n, k in seats if _seat(n, k) not in spoken_for), None)
        if name is not None:
            spoken_for.add(_seat(name, kinds[name]))
            taken.update(encoding.cost[name])
    return taken


def _lies_at(carving: Carving, name: str) -> bool:
    return carving.place is None or name.rpartition("-")[2] == str(carving.place)


def _seat(name: str, kind: SliceType) -> tuple[str, ...]:
    """Series of one framebuffer size share their slots; without locks a name is its own seat."""
    return (name,) if kind.cost or kind.whole or kind.places else (str(kind.vram), name.rpartition("-")[2])


def _less(total: Amounts, taken: Counter[str]) -> Amounts:
    return {pool: max(0, amount - taken[pool]) for pool, amount in total.items()}


def _size(gpu: Gpu, carving: Carving) -> int | None:
    kind = gpu.type(carving.type)
    return kind.vram if kind else None


def _is_open(gpu: Gpu, kind: SliceType, held: set[int | None]) -> bool:
    """True where the card already holds something this fits beside: same size if it takes one size only.

    A size of which one fills the card is never open: the flip would be written for nobody.
    """
    if kind.whole:
        return False
    return kind.vram in held and kind.limit != 1 if gpu.homogeneous else bool(held)
