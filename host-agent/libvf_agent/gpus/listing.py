"""Cards, their types and carvings as the list shows them: pure."""

from __future__ import annotations

from collections.abc import Iterable

from libvf_api.host import CarvingSeen, Gpus, GpuSeen, TaintSeen, TypeSeen
from libvf_api.quantity import of_bytes

from libvf_agent.inventory import VENDORS, Carving, Gpu, SliceType
from libvf_agent.journal import Entry
from libvf_agent.offers import totals
from libvf_agent.preparation.facts import Card


def listed(gpus: Iterable[Gpu], cards: Iterable[Card], entries: Iterable[Entry]) -> Gpus:
    """Cards that can be cut, then the PCI cards that can not be; `entries` are the journal's."""
    claims = {s.plan.id: f"{e.namespace}/{e.name}" for e in entries for s in e.slices if s.plan}
    cut = [_seen(gpu, claims) for gpu in gpus]
    names = {gpu.name for gpu in cut}
    return Gpus((*cut, *(_uncut(card) for card in cards if card.address not in names)))


def text(found: Gpus) -> str:
    """One block a card."""
    return "\n".join(line for gpu in found.gpus for line in _lines(gpu)) or "no GPU"


def _seen(gpu: Gpu, claims: dict[str, str]) -> GpuSeen:
    return GpuSeen(
        name=gpu.name,
        vendor=gpu.vendor,
        pci_id=gpu.pci_id,
        numa_node=gpu.numa_node,
        parents=gpu.parents,
        types=tuple(_type(gpu, kind) for kind in gpu.types if not kind.closed and gpu.rules.allows(kind.mode, kind.id)),
        carvings=tuple(_carving(carving, claims) for carving in gpu.carvings if carving.in_use or carving.id in claims),
        taints=_taints(gpu),
        policy=gpu.rules.policy,
    )


def _taints(gpu: Gpu) -> tuple[TaintSeen, ...]:
    """Those of the card, then those of its types."""
    of_types = (TaintSeen(t.key, t.message, kind.id) for kind in gpu.types if not kind.closed for t in kind.taints)
    return (*(TaintSeen(taint.key, taint.message) for taint in gpu.taints), *of_types)


def _type(gpu: Gpu, kind: SliceType) -> TypeSeen:
    """Each free virtual function says 1, so their sum is cut off at what the whole card takes."""
    if kind.whole:
        return TypeSeen(kind.id, kind.name, kind.vram, kind.available, 1)
    room = sum(of_parent.get(kind.id, 0) for of_parent in gpu.available.values())
    if kind.limit is None:
        pools = totals(gpu)
        total = min((pools[pool] // cost for pool, cost in kind.cost if cost), default=room)
        return TypeSeen(kind.id, kind.name, kind.vram, room, total)
    held = sum(1 for carving in gpu.carvings if (other := gpu.type(carving.type)) and other.vram == kind.vram)
    return TypeSeen(kind.id, kind.name, kind.vram, max(0, min(room, kind.limit - held)), kind.limit)


def _carving(carving: Carving, claims: dict[str, str]) -> CarvingSeen:
    claim = claims.get(carving.id)
    return CarvingSeen(carving.id, carving.parent, carving.type, claim is not None, claim or "", carving.iommu_group)


def _uncut(card: Card) -> GpuSeen:
    vendor = f"{card.vendor:04x}"
    return GpuSeen(name=card.address, vendor=VENDORS.get(vendor, vendor), pci_id=f"{vendor}:{card.device:04x}")


def _lines(gpu: GpuSeen) -> list[str]:
    numa = "unknown" if gpu.numa_node is None else str(gpu.numa_node)
    head = f"{gpu.name}  {gpu.vendor}  {gpu.pci_id or 'no PCI id'}  NUMA node {numa}"
    if gpu.types:
        head += f"  parents: {', '.join(gpu.parents)}"
    else:
        head += f"  {gpu.nothing}{'' if gpu.policy else ': python3 -m libvf_agent doctor says why'}"
    width = max((len(kind.id) for kind in gpu.types), default=0)
    types = [
        f"  {kind.id:<{width}}  {of_bytes(kind.vram) if kind.vram else '-':>6}  {kind.available} of {kind.total} free"
        f"  {kind.name}"
        for kind in gpu.types
    ]
    carvings = [
        f"  {one.uuid}  {one.type} on {one.parent}  {f'of claim {one.claim}' if one.ours else 'made by somebody else'}"
        for one in gpu.carvings
    ]
    taints = [f"  nothing new comes to {one.type or 'it'} ({one.key}): {one.message}" for one in gpu.taints]
    return [head, *types, *carvings, *taints]
