"""Into what an xe card is cut: the sizes its functions can have, and why some are not to be had. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from libvf_api.taints import TaintKey

from libvf_agent.inventory import MIB, Function, SliceType, Sriov, Taint
from libvf_agent.rules import FUNCTION, Rules

BACKEND = "xe"


@dataclass(frozen=True, slots=True)
class Share:
    """What the driver says of a virtual function: bytes, and texts as they are read; empty where there is no file.

    `told` is false where the driver refuses to say how much memory it has.
    """

    folder: str
    vram: int = 0
    told: bool = True
    quantum: str = ""
    timeout: str = ""
    priority: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """A card's video memory: what functions can have of it, 0 where no file tells; in which steps; who sets quotas."""

    usable: int
    grain: int
    settable: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Into what a card is cut: its types and the size of each pool.

    `cut` by a policy: every quota takes memory, whoever set it. `equal`: the driver's own parts, which it makes
    when it enables the functions. Neither: functions made by hand stay as they are, each in its own size.
    """

    kinds: tuple[SliceType, ...] = ()
    totals: tuple[tuple[str, int], ...] = ()
    cut: bool = False
    equal: bool = False

    def type_of(self, share: Share) -> str:
        """The id of the type that a function is of now."""
        return _id(0 if self.equal else share.vram)


def layout_of(memory: Memory, shares: tuple[Share, ...], sriov: Sriov, rules: Rules) -> Layout:
    """By a policy's sizes or its count of functions; else what stands; else what the driver does by itself.

    Sizes are rounded up as the driver rounds them. `shares` are those of the functions that are, or will be, there.
    """
    wanted = {-(-size // memory.grain) * memory.grain for size in rules.quota.sizes}
    if memory.settable and memory.usable and (wanted or rules.functions):
        part = memory.usable // len(shares) // memory.grain * memory.grain
        return _cut({size for size in wanted or {part} if size > 0}, memory.usable, shares)
    if memory.settable and sriov.count and not wanted and not rules.functions:
        return _standing(shares)
    return _equal(0 if memory.settable else next(iter(rules.quota.sizes), 0), shares)


def _cut(sizes: set[int], usable: int, shares: tuple[Share, ...]) -> Layout:
    """Quotas of these sizes, out of what the card has; what exists in another size still counts."""
    others = {share.vram for share in shares} | {0}
    ids = {_id(size) for size in sizes}
    kinds = [_kind(size, (("vfs", 1), ("vram", size))) for size in sizes]
    kinds += [
        _kind(size, (("vfs", 1), *((("vram", size),) if size else ())), closed=True)
        for size in others
        if _id(size) not in ids
    ]
    return Layout(_unique(kinds), (("vfs", len(shares)), ("vram", usable)), cut=True)


def _standing(shares: tuple[Share, ...]) -> Layout:
    """A pool for each size; a function of a discrete card without memory is of no use to a guest."""
    held = {0: 0}
    for share in shares:
        held[share.vram] = held.get(share.vram, 0) + 1
    pools = {size: f"vfs-{size // MIB}m" for size in held}
    kinds = [_kind(size, ((pools[size], 1),), closed=not size) for size in held]
    return Layout(_unique(kinds), tuple((pools[size], count) for size, count in sorted(held.items())))


def _equal(vram: int, shares: tuple[Share, ...]) -> Layout:
    sizes = {share.vram for share in shares} - {0}
    closed = [_kind(size, (("vfs", 1),), closed=True) for size in sizes]
    return Layout(_unique([replace(_kind(0, (("vfs", 1),)), vram=vram), *closed]), (("vfs", len(shares)),), equal=True)


def _kind(size: int, cost: tuple[tuple[str, int], ...], closed: bool = False) -> SliceType:
    name = f"virtual function, {size // MIB} MiB" if size else "virtual function"
    return SliceType(_id(size), name, size, cost, mode=FUNCTION, backend=BACKEND, closed=closed)


def _id(size: int) -> str:
    return f"intel-vf-{size // MIB}m" if size else "intel-vf"


def _unique(kinds: list[SliceType]) -> tuple[SliceType, ...]:
    """One type an id: sizes that differ by less than a MiB are the same."""
    return tuple({kind.id: kind for kind in sorted(kinds, key=lambda kind: kind.vram)}.values())


def taints_of(
    memory: Memory, shares: tuple[Share, ...], functions: tuple[Function, ...], layout: Layout, rules: Rules
) -> tuple[Taint, ...]:
    """Why no claim should come: what the policy asks for and the card or its driver does not have."""
    quota, first, found = rules.quota, shares[0], []
    if memory.settable and not memory.usable and quota.sizes:
        told = "no file tells the card's video memory: mount debugfs on this node, or set vram in the GpuPolicy"
        found.append(Taint(TaintKey.UNKNOWN_VRAM, told))
    if layout.cut and not functions[0].class_code and any(share.vram for share in shares):
        told = "a function has a quota set by hand, which goes when functions are disabled: enable them, or write 0"
        found.append(Taint(TaintKey.FOREIGN_QUOTA, told))
    asked = ((quota.exec_quantum_ms, first.quantum), (quota.preempt_timeout_us, first.timeout))
    if any(value is not None and not text for value, text in asked):
        found.append(
            Taint(TaintKey.QUOTA, "the driver has no shares of time for functions: leave them out of the GpuPolicy")
        )
    offered = first.priority.replace("[", "").replace("]", "").split()
    if quota.priority is not None and quota.priority not in offered:
        told = f"the driver offers functions no priority {quota.priority}, only {' or '.join(offered) or 'its own'}"
        found.append(Taint(TaintKey.QUOTA, f"{told}: change the GpuPolicy"))
    if any(one.class_code and not one.reset_methods for one in functions) and not rules.reuse_without_reset:
        found.append(Taint(TaintKey.NO_RESET, "functions cannot be reset: reuseWithoutReset of a GpuPolicy allows it"))
    return tuple(found)
