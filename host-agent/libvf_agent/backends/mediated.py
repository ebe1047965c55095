"""Mediated devices: cards cut through `mdev_supported_types` (NVIDIA vGPU, GVT-g, the kernel's samples)."""

from __future__ import annotations

import re
from dataclasses import replace

from libvf_agent import mdev_types, pci, vfio
from libvf_agent.backends import Order
from libvf_agent.backends.sriov import card_id
from libvf_agent.errors import Full
from libvf_agent.inventory import Carving, Gpu, SliceType
from libvf_agent.offers import totals
from libvf_agent.rules import CardId, RulesOf
from libvf_agent.steps import Leads, Plan, Undo, Write, device_uuid
from libvf_agent.sysfs import Sysfs

BUS = "sys/class/mdev_bus"
DEVICES = "sys/bus/mdev/devices"
_NAME = "[A-Za-z0-9:._-]{1,64}"  # what an attribute of a device can say


class Mediated:
    """The backend of every driver that uses the kernel's mdev core; remembers how big each card was seen."""

    name = "mediated"

    def __init__(self) -> None:
        self._totals: dict[str, tuple[tuple[str, int], ...]] = {}

    def discover(self, sysfs: Sysfs, rules: RulesOf) -> tuple[Gpu, ...]:
        """All cards with their types and with every mediated device on them, ours or not.

        The kernel takes a device from its list before it counts its room as free. One that goes between our two
        reads is left out, else it would be used and free at once, and the card be remembered as larger than it is.
        """
        carvings = [c for name in sysfs.names(DEVICES) if (c := observe(sysfs, name))]
        by_card: dict[str, list[str]] = {}
        for parent in (name for name in sysfs.names(BUS) if re.fullmatch(_NAME, name)):
            by_card.setdefault(_card(sysfs, parent), []).append(parent)
        found = [card for name, parents in sorted(by_card.items()) if (card := _gpu(sysfs, name, parents, carvings))]
        still = set(sysfs.now().names(DEVICES))
        there = [replace(card, carvings=tuple(c for c in card.carvings if c.id in still)) for card in found]
        return self._remembered([_ruled(sysfs, card, rules) for card in there])

    def _remembered(self, cards: list[Gpu]) -> tuple[Gpu, ...]:
        known = [replace(card, totals=self._totals.get(card.name, ())) for card in cards]
        self._totals = {card.name: tuple(totals(card).items()) for card in known}
        return tuple(replace(card, totals=self._totals[card.name]) for card in known)

    def plan(self, gpu: Gpu, order: Order) -> Plan:
        """One write, to a parent that still takes the type; Full where none does."""
        kind = order.kind
        uuid = device_uuid(order.claim_uid, order.device)
        parent = _parent_with_room(gpu, kind, uuid)
        folder = f"{BUS}/{parent}/mdev_supported_types/{kind.id}"
        device = f"{DEVICES}/{uuid}"
        step = Write(
            f"{folder}/create",
            uuid,
            Leads(f"{BUS}/{parent}/{uuid}", f"{device}/mdev_type", folder),
            Undo(f"{device}/remove", "1"),
            device=f"{BUS}/{parent}/{uuid}",
        )
        parameters = _parameters(device, step, gpu.rules.parameters) if gpu.vendor == "nvidia" else ()
        return Plan(uuid, parent, kind.id, device, (step, *parameters), {"mdevUUID": uuid})


def _parameters(device: str, made: Write, text: str) -> tuple[Write, ...]:
    """NVIDIA takes `vgpu_params` after the device is made and before it is first opened; a blank clears them."""
    if not text:
        return ()
    path = f"{device}/nvidia/vgpu_params"
    return (Write(path, text, made.evidence, Undo(path, " "), device=made.device),)


def observe(sysfs: Sysfs, uuid: str) -> Carving | None:
    """The mediated device of that UUID as the kernel shows it, None if there is none."""
    real = sysfs.real(f"{DEVICES}/{uuid}/mdev_type")
    if real is None or "/" not in real:
        return None
    head, _, type_id = real.rpartition("/")
    parent = head.split("/")[-2] if "/" in head else ""
    return Carving(uuid, parent, type_id, vfio.group(sysfs, f"{DEVICES}/{uuid}"))


def _parent_with_room(gpu: Gpu, kind: SliceType, uuid: str) -> str:
    """Where the device is already, else the first parent that still takes the type."""
    for carving in gpu.carvings:
        if carving.id == uuid:
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
    if name not in parents:  # each virtual function takes one device, whatever its size
        kinds = {k: replace(v, limit=min(v.limit, len(parents)) if v.limit else None) for k, v in kinds.items()}
    driver = mdev_types.driver(next(iter(kinds)))
    folder = f"{BUS}/{parents[0]}"
    return Gpu(
        name=name,
        vendor=mdev_types.VENDORS[driver],
        parents=tuple(parents),
        types=tuple(kinds.values()),
        carvings=tuple(c for c in carvings if c.parent in parents),
        homogeneous=driver in mdev_types.HOMOGENEOUS,
        numa_node=pci.numa_node(sysfs, folder),
        pcie_root=pci.pcie_root(sysfs, folder),
        pci_address=name if pci.is_address(name) else None,
        pci_id=_pci_id(sysfs, folder),
        available=available,
    )


def _ruled(sysfs: Sysfs, card: Gpu, rules: RulesOf) -> Gpu:
    """The card with its rules, without the virtual functions that they spare."""
    of_card = rules(_id(sysfs, card))
    return replace(card, rules=of_card, parents=tuple(p for p in card.parents if p not in of_card.spared))


def _id(sysfs: Sysfs, card: Gpu) -> CardId:
    """As the other backends call it where it is on the PCI bus; virtual cards have no class."""
    function = pci.read(sysfs, card.name) if card.pci_address else None
    return card_id(function) if function and function.class_code else CardId(card.name, card.vendor, card.pci_id)


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
        pci.number(free),
    )


def _pci_id(sysfs: Sysfs, folder: str) -> str | None:
    """ "10de:25b6", of the physical function where the parent is a virtual one; virtual cards have none."""
    function = f"{folder}/physfn" if sysfs.exists(f"{folder}/physfn") else folder
    return pci.ids(sysfs, function) or None
