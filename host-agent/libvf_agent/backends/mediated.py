"""Mediated devices: cards cut through `mdev_supported_types` (NVIDIA vGPU, GVT-g, the kernel's samples)."""

from __future__ import annotations

import re
from dataclasses import replace

from libvf_agent import mdev_types
from libvf_agent.errors import ClaimError, Full
from libvf_agent.inventory import Carving, Gpu, Offers, SliceType
from libvf_agent.offers import offers_of, totals, type_of_device
from libvf_agent.steps import Evidence, Plan, Undo, Write, device_uuid
from libvf_agent.sysfs import Sysfs

BUS = "sys/class/mdev_bus"
DEVICES = "sys/bus/mdev/devices"


class Mediated:
    """The backend of every driver that uses the kernel's mdev core; remembers how big each card was seen."""

    def __init__(self) -> None:
        self._totals: dict[str, tuple[tuple[str, int], ...]] = {}

    def discover(self, sysfs: Sysfs) -> tuple[Gpu, ...]:
        """All cards with their types and with every mediated device on them, ours or not."""
        carvings = [c for name in sysfs.names(DEVICES) if (c := self.observe(sysfs, name))]
        by_card: dict[str, list[str]] = {}
        for parent in sysfs.names(BUS):
            by_card.setdefault(_card(sysfs, parent), []).append(parent)
        cards = (_gpu(sysfs, name, parents, carvings) for name, parents in sorted(by_card.items()))
        return self._remembered([card for card in cards if card])

    def _remembered(self, cards: list[Gpu]) -> tuple[Gpu, ...]:
        known = [replace(card, totals=self._totals.get(card.name, ())) for card in cards]
        self._totals = {card.name: tuple(totals(card).items()) for card in known}
        return tuple(replace(card, totals=self._totals[card.name]) for card in known)

    def offers(self, gpu: Gpu, ours: dict[str, str]) -> Offers:
        """`ours`: mdev UUID -> device name, of the journal."""
        return offers_of(gpu, ours)

    def plan(self, gpu: Gpu, devices: tuple[str, ...], claim_uid: str) -> tuple[Plan, ...]:
        """One write each, to parents that still take the types; Full where none does."""
        plans: list[Plan] = []
        for device in devices:
            plans.append(_plan(gpu, device, claim_uid))
            gpu = _after(gpu, plans[-1])
        return tuple(plans)

    def observe(self, sysfs: Sysfs, uuid: str) -> Carving | None:
        """The device of that UUID as the kernel shows it, None if there is none."""
        real = sysfs.real(f"{DEVICES}/{uuid}/mdev_type")
        if real is None:
            return None
        head, _, type_id = real.rpartition("/")
        parent = head.split("/")[-2]
        group = sysfs.link_name(f"{DEVICES}/{uuid}/iommu_group") or ""
        return Carving(uuid, parent, type_id, int(group) if group.isdecimal() else None)


def _plan(gpu: Gpu, device: str, claim_uid: str) -> Plan:
    kind = type_of_device(gpu, device)
    if kind is None:
        raise ClaimError(f"{gpu.name} has no type for {device}: load its driver, or delete the claim's Pod")
    uuid = device_uuid(claim_uid, device)
    parent = _parent_with_room(gpu, kind, uuid)
    folder = f"{BUS}/{parent}/mdev_supported_types/{kind.id}"
    step = Write(
        f"{folder}/create",
        uuid,
        Evidence(f"{BUS}/{parent}/{uuid}", f"{DEVICES}/{uuid}/mdev_type", folder),
        Undo(f"{DEVICES}/{uuid}/remove", "1"),
    )
    return Plan(uuid, parent, kind.id, (step,))


def _after(gpu: Gpu, plan: Plan) -> Gpu:
    """The card once the plan is carried out: a virtual function takes one device and no more."""
    room = dict(gpu.available.get(plan.parent, {}))
    room[plan.type] = room.get(plan.type, 1) - 1
    return replace(gpu, available={**gpu.available, plan.parent: {} if len(gpu.parents) > 1 else room})


def _parent_with_room(gpu: Gpu, kind: SliceType, uuid: str) -> str:
    """Where the device is already, else the first parent that still takes the type."""
    for carving in gpu.carvings:
        if carving.uuid == uuid:
            return carving.parent
    for parent in gpu.parents:
        if gpu.available.get(parent, {}).get(kind.id, 0) > 0:
            return parent
    used = sum(1 for carving in gpu.carvings if carving.type == kind.id)
    raise Full(
        f"{gpu.name} has no free {kind.id} ({used} in use, {len(gpu.carvings)} devices in all): "
        "delete a partition or a device made by hand, or ask for another size"
    )


def _card(sysfs: Sysfs, parent: str) -> str:
    """A virtual function belongs to its physical one; every other parent is a card itself."""
    return sysfs.link_name(f"{BUS}/{parent}/physfn") or parent


def _gpu(sysfs: Sysfs, name: str, parents: list[str], carvings: list[Carving]) -> Gpu | None:
    """The card, or None where no type of it is understood."""
    available: dict[str, dict[str, int]] = {}
    kinds: dict[str, SliceType] = {}
    for parent in parents:
        for kind in _types(sysfs, parent):
            available.setdefault(parent, {})[kind.id] = kind.available
            kinds[kind.id] = _richer(kinds.get(kind.id), kind)
    if not kinds:
        return None
    driver = mdev_types.driver(next(iter(kinds)))
    return Gpu(
        name=name,
        vendor=mdev_types.VENDORS[driver],
        parents=tuple(parents),
        types=tuple(kinds.values()),
        carvings=tuple(c for c in carvings if c.parent in parents),
        homogeneous=driver in mdev_types.HOMOGENEOUS,
        numa_node=_numa_node(sysfs, parents[0]),
        pcie_root=_pcie_root(sysfs, parents[0]),
        pci_address=name if re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", name) else None,
        pci_id=_pci_id(sysfs, parents[0]),
        available=available,
    )


def _richer(known: SliceType | None, seen: SliceType) -> SliceType:
    """Of the same type on two parents, the one with more room: a used VF shows 0 for everything."""
    return seen if known is None or seen.available > known.available else known


def _types(sysfs: Sysfs, parent: str) -> list[SliceType]:
    folder = f"{BUS}/{parent}/mdev_supported_types"
    raws = (_raw(sysfs, folder, type_id) for type_id in sysfs.names(folder))
    return [kind for raw in raws if (kind := mdev_types.parse(raw))]


def _raw(sysfs: Sysfs, folder: str, type_id: str) -> mdev_types.Raw:
    free = sysfs.read_or(f"{folder}/{type_id}/available_instances", "0")
    return mdev_types.Raw(
        type_id,
        sysfs.read_or(f"{folder}/{type_id}/name", ""),
        sysfs.read_or(f"{folder}/{type_id}/description", ""),
        int(free) if free.isdecimal() else 0,
    )


def _numa_node(sysfs: Sysfs, parent: str) -> int | None:
    """The firmware's word; on a host of one node 0; unknown (-1) on a host of several stays unknown."""
    said = sysfs.read_or(f"{BUS}/{parent}/numa_node", "-1")
    if said.isdecimal():
        return int(said)
    nodes = [n for n in sysfs.names("sys/devices/system/node") if re.fullmatch(r"node\d+", n)]
    return 0 if len(nodes) <= 1 else None


def _pci_id(sysfs: Sysfs, parent: str) -> str | None:
    """ "10de:25b6", of the physical function where the parent is a virtual one; virtual cards have none."""
    folder = f"{BUS}/{parent}"
    function = f"{folder}/physfn" if sysfs.exists(f"{folder}/physfn") else folder
    ids = [sysfs.read_or(f"{function}/{name}", "").removeprefix("0x") for name in ("vendor", "device")]
    return ":".join(ids) if all(ids) else None


def _pcie_root(sysfs: Sysfs, parent: str) -> str | None:
    """`pci0000:64`, from the card's real path; virtual cards have none."""
    found = re.search(r"(?:^|/)(pci[0-9a-f]{4}:[0-9a-f]{2})(?:/|$)", sysfs.real(f"{BUS}/{parent}") or "")
    return found[1] if found else None
