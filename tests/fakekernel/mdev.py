"""The kernel's mediated device core, and the drivers that cut cards by it."""

from __future__ import annotations

import errno
import uuid as uuids
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.fakekernel.host import FakeHost
from tests.fakekernel.tree import File, Folder, Link, fail

BUS = "sys/class/mdev_bus"
DEVICES = "sys/bus/mdev/devices"


@dataclass
class Type:
    """One type folder; `cost` is per pool of the card, `limit` the most on a card that takes one size."""

    id: str
    name: str
    description: str | None
    cost: dict[str, int] = field(default_factory=dict)
    limit: int = 0
    size: int = 0


@dataclass
class Card:
    """A card: its parents' names, its types, and either pools or one size at a time."""

    name: str
    parents: list[str]
    types: dict[str, Type]
    pools: dict[str, int] = field(default_factory=dict)
    numa_node: int | None = None
    pci_id: str = ""
    full: int = errno.ENOSPC

    @property
    def is_pci(self) -> bool:
        """Whether its parents are PCI functions."""
        return ":" in self.name


@dataclass
class Device:
    """A mediated device that exists; `leaving` while its removal waits for whoever has it open."""

    uuid: str
    card: Card
    parent: str
    type: str
    group: int
    leaving: bool = False


class Mdev:
    """The core, with the devices that exist."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self.devices: dict[str, Device] = {}
        self.created = 0
        host.tree.put(BUS, Folder())
        host.tree.put(DEVICES, Folder())
        host.parts.append(self)

    def add(self, card: Card) -> None:
        """A driver registers the parents of a card."""
        tree = self._host.tree
        for parent in card.parents:
            home = _home(card, parent)
            for kind in card.types.values():
                self._put_type(card, parent, kind, f"{home}/mdev_supported_types/{kind.id}")
            if card.numa_node is not None:
                tree.text(f"{home}/numa_node", str(card.numa_node))
            if card.is_pci and parent != card.name:
                tree.put(f"{home}/physfn", Link(_home(card, card.name)))
            tree.put(f"{BUS}/{parent}", Link(home))
        if card.pci_id:
            vendor, _, device = card.pci_id.partition(":")
            tree.text(f"{_home(card, card.name)}/vendor", f"0x{vendor}")
            tree.text(f"{_home(card, card.name)}/device", f"0x{device}")

    def remove(self, card: Card) -> None:
        """The driver is unloaded; the kernel allows that only while no device is left."""
        for parent in card.parents:
            self._host.tree.drop(f"{BUS}/{parent}")
            self._host.tree.drop(_home(card, parent))

    def make(self, parent: str, type_id: str, uuid: str | None = None) -> str:
        """Somebody else makes a device; returns its UUID."""
        uuid = uuid or str(uuids.uuid4())
        self._host.tree.write(f"{BUS}/{parent}/mdev_supported_types/{type_id}/create", uuid)
        return uuid

    def open(self, uuid: str, pid: int = 4711, command: str = "qemu-system-x86", hidden: bool = False) -> None:
        """A process opens the VFIO group of a device."""
        self._host.open(self._node(uuid), pid, command, hidden)

    @contextmanager
    def held(self, uuid: str) -> Iterator[None]:
        """A process has the device open for a while."""
        self.open(uuid)
        try:
            yield
        finally:
            self._host.close()

    def reboot(self) -> None:
        """No mediated device survives."""
        for uuid in list(self.devices):
            self._forget(uuid)

    def _put_type(self, card: Card, parent: str, kind: Type, folder: str) -> None:
        tree = self._host.tree
        tree.text(f"{folder}/name", kind.name)
        if kind.description is not None:
            tree.text(f"{folder}/description", kind.description)
        tree.text(f"{folder}/device_api", "vfio-pci")
        available = File(read=lambda: f"{self._available(card, parent, kind)}\n")
        tree.put(f"{folder}/available_instances", available)
        tree.put(f"{folder}/create", File(write=lambda value: self._create(card, parent, kind, value)))

    def _available(self, card: Card, parent: str, kind: Type) -> int:
        held = [device for device in self.devices.values() if device.card is card]
        if card.pools:
            used = {pool: sum(card.types[device.type].cost[pool] for device in held) for pool in card.pools}
            return min((card.pools[pool] - used[pool]) // kind.cost[pool] for pool in card.pools)
        if any(card.types[device.type].size != kind.size for device in held):
            return 0
        left = kind.limit - len(held)
        if len(card.parents) > 1:
            return 0 if any(device.parent == parent for device in held) else min(1, left)
        return left

    def _create(self, card: Card, parent: str, kind: Type, value: str) -> None:
        path = f"{BUS}/{parent}/mdev_supported_types/{kind.id}/create"
        uuid = _uuid(value.removesuffix("\n"), path)
        if uuid in self.devices:
            raise fail(errno.EEXIST, path)
        if self._available(card, parent, kind) < 1:
            raise fail(card.full, path)
        self.created += 1
        device = self.devices[uuid] = Device(uuid, card, parent, kind.id, self._host.new_group())
        home, tree = f"{_home(card, parent)}/{uuid}", self._host.tree
        tree.put(f"{home}/mdev_type", Link(f"{_home(card, parent)}/mdev_supported_types/{kind.id}"))
        tree.put(f"sys/kernel/iommu_groups/{device.group}", Folder())
        tree.put(f"{home}/iommu_group", Link(f"sys/kernel/iommu_groups/{device.group}"))
        tree.put(f"{home}/remove", File(write=lambda _: self._remove(device)))
        tree.put(f"{DEVICES}/{uuid}", Link(home))

    def _remove(self, device: Device) -> None:
        """The bus forgets it at once, its parent when nobody has it open any more: that is waited for."""
        home, tree = f"{_home(device.card, device.parent)}/{device.uuid}", self._host.tree
        device.leaving = True
        tree.drop(f"{DEVICES}/{device.uuid}")
        tree.drop(f"{home}/mdev_type")
        tree.drop(f"{home}/remove")
        self._host.wait_closed(self._node(device.uuid))
        self._forget(device.uuid)

    def _forget(self, uuid: str) -> None:
        device = self.devices.pop(uuid)
        self._host.tree.drop(f"{DEVICES}/{uuid}")
        self._host.tree.drop(f"{_home(device.card, device.parent)}/{uuid}")
        self._host.tree.drop(f"sys/kernel/iommu_groups/{device.group}")
        self._host.drop_group(device.group)

    def _node(self, uuid: str) -> str:
        return f"/dev/vfio/{self.devices[uuid].group}"


def _home(card: Card, parent: str) -> str:
    if card.is_pci:
        return f"sys/devices/pci0000:64/0000:64:00.0/{parent}"
    return f"sys/devices/virtual/{card.name}/{parent}"


def _uuid(text: str, path: str) -> str:
    """The kernel takes 36 characters of either case and shows them in lower case."""
    try:
        found = str(uuids.UUID(text)) if len(text) == 36 else ""
    except ValueError:
        found = ""
    if not found:
        raise fail(errno.EINVAL, path)
    return found


class MediatedHost(FakeHost):
    """A host with these cards."""

    def __init__(self, *cards: Card, numa_nodes: int = 1) -> None:
        super().__init__(numa_nodes)
        self.mdev = Mdev(self)
        for card in cards:
            self.mdev.add(card)

    @contextmanager
    def held(self, uuid: str) -> Iterator[None]:
        """A process has the mediated device open for a while."""
        with self.mdev.held(uuid):
            yield
