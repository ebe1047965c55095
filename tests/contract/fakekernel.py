"""A kernel with mediated devices, as an object behind `Sysfs`: its states, its errors, its blocking.

Only as true as the contract suite's run on the real kernel shows.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import threading
import uuid as uuids
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BUS = "sys/class/mdev_bus"
DEVICES = "sys/bus/mdev/devices"
BOOT_ID = "proc/sys/kernel/random/boot_id"


def fail(number: int, path: str) -> OSError:
    """The OSError of an errno."""
    return OSError(number, os.strerror(number), path)


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
    """A card: its real folder, its parents' names, and either pools or one size at a time."""

    name: str
    parents: list[str]
    types: dict[str, Type]
    pools: dict[str, int] = field(default_factory=dict)
    numa_node: int | None = None
    pci_id: str = ""
    full: int = errno.ENOSPC


@dataclass
class Device:
    """A mediated device that exists."""

    uuid: str
    card: Card
    parent: str
    type: str
    group: int
    leaving: bool = False


@dataclass
class Process:
    """A process and the device nodes it holds open; a hidden one is in a pid namespace that we cannot look into."""

    command: str
    nodes: list[str]
    hidden: bool = False


class FakeKernel:
    """Implements `Files`. `around` is called before and after each write, and may raise to kill."""

    def __init__(self, cards: list[Card]) -> None:
        self.cards = {card.name: card for card in cards}
        self.devices: dict[str, Device] = {}
        self.processes: dict[int, Process] = {}
        self.boot_id = str(uuids.uuid4())
        self.around: Callable[[], None] = lambda: None
        self.created = 0
        self._closed = threading.Condition()
        self._groups = 0

    # what a test does to the machine

    def reboot(self) -> None:
        """All mediated devices and processes are gone; groups are numbered anew."""
        self.devices.clear()
        self.processes.clear()
        self.boot_id = str(uuids.uuid4())
        self._groups = 0

    def open(self, uuid: str, pid: int = 4711, command: str = "qemu-system-x86", hidden: bool = False) -> None:
        """A process opens the VFIO group of a device."""
        self.processes[pid] = Process(command, [f"/dev/vfio/{self.devices[uuid].group}"], hidden)

    def close(self, pid: int = 4711) -> None:
        """The process ends; whoever waits for the device goes on."""
        with self._closed:
            del self.processes[pid]
            self._closed.notify_all()

    @contextmanager
    def held(self, uuid: str) -> Iterator[None]:
        """A process has the device open for a while."""
        self.open(uuid)
        try:
            yield
        finally:
            self.close()

    def make(self, parent: str, type_id: str, uuid: str | None = None) -> str:
        """Somebody else makes a device."""
        uuid = uuid or str(uuids.uuid4())
        self._create(self._card(parent), parent, type_id, uuid)
        return uuid

    # Files

    def read(self, path: str) -> str:
        """A file's content, with its newline."""
        if path == BOOT_ID:
            return self.boot_id + "\n"
        if found := re.fullmatch(r"proc/(\d+)/comm", path):
            return self.processes[int(found[1])].command + "\n"
        parent, rest = self._below_parent(path)
        if rest == ["numa_node"] and self._card(parent).numa_node is not None:
            return f"{self._card(parent).numa_node}\n"
        if rest in (["vendor"], ["device"]) and self._card(parent).name == parent and self._card(parent).pci_id:
            return self._pci_id_file(parent, rest[0])
        if rest in (["physfn", "vendor"], ["physfn", "device"]) and self._card(parent).name != parent:
            return self._pci_id_file(parent, rest[1])
        if len(rest) == 3 and rest[0] == "mdev_supported_types":
            return self._type_file(parent, rest[1], rest[2], path)
        raise fail(errno.ENOENT, path)

    def write(self, path: str, value: str) -> None:
        """create or remove; every other file refuses."""
        self.around()
        if found := re.fullmatch(rf"{DEVICES}/([^/]+)/remove", path):
            self._remove(found[1], path)
        else:
            parent, rest = self._below_parent(path)
            if len(rest) != 3 or rest[2] != "create":
                raise fail(errno.EACCES if self.exists(path) else errno.ENOENT, path)
            self._create(self._card(parent), parent, rest[1], value.removesuffix("\n"))
        self.around()

    def names(self, path: str) -> list[str]:
        """What is in a folder."""
        if path == BUS:
            return sorted(parent for card in self.cards.values() for parent in card.parents)
        if path == DEVICES:
            return sorted(uuid for uuid, device in self.devices.items() if not device.leaving)
        if path == "sys/devices/system/node":
            return ["node0"]
        if path == "proc":
            return [str(pid) for pid, process in self.processes.items() if not process.hidden] + ["sys"]
        if found := re.fullmatch(r"proc/(\d+)/fd", path):
            return [str(n) for n, _ in enumerate(self.processes[int(found[1])].nodes)]
        parent, rest = self._below_parent(path)
        if rest == ["mdev_supported_types"]:
            return sorted(self._card(parent).types)
        raise fail(errno.ENOENT, path)

    def link(self, path: str) -> str:
        """A link's target."""
        if found := re.fullmatch(r"proc/(\d+)/fd/(\d+)", path):
            return self.processes[int(found[1])].nodes[int(found[2])]
        if found := re.fullmatch(rf"{DEVICES}/([^/]+)/iommu_group", path):
            return self._group_link(found[1], path, on_bus=True)
        parent, rest = self._below_parent(path)
        if len(rest) == 2 and rest[1] == "iommu_group":
            return self._group_link(rest[0], path, on_bus=False)
        if rest == ["physfn"] and self._card(parent).name != parent:
            return f"../{self._card(parent).name}"
        raise fail(errno.ENOENT, path)

    def real(self, path: str) -> str:
        """The path with its links followed."""
        if found := re.fullmatch(rf"{DEVICES}/([^/]+)(/mdev_type|/remove)?", path):
            device = self.devices.get(found[1])
            if device is None or device.leaving:
                raise fail(errno.ENOENT, path)
            home = self._home(device.card, device.parent)
            if found[2] == "/mdev_type":
                return f"{home}/mdev_supported_types/{device.type}"
            return f"{home}/{device.uuid}{found[2] or ''}"
        parent, rest = self._below_parent(path)
        if rest == ["physfn"]:
            if self._card(parent).name == parent:
                raise fail(errno.ENOENT, path)
            return self._home(self._card(parent), self._card(parent).name)
        if len(rest) == 1 and rest != ["mdev_supported_types"]:
            if rest[0] not in self.devices or self.devices[rest[0]].parent != parent:
                raise fail(errno.ENOENT, path)
        elif len(rest) >= 2 and rest[1] not in self._card(parent).types:
            raise fail(errno.ENOENT, path)
        return posixpath.join(self._home(self._card(parent), parent), *rest)

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        try:
            self.real(path)
        except OSError:
            return False
        return True

    # the kernel's own work

    def _group_link(self, uuid: str, path: str, on_bus: bool) -> str:
        if uuid not in self.devices or (on_bus and self.devices[uuid].leaving):
            raise fail(errno.ENOENT, path)
        return f"../../../../../kernel/iommu_groups/{self.devices[uuid].group}"

    def _home(self, card: Card, parent: str) -> str:
        if re.match(r"[0-9a-f]{4}:", parent):
            return f"sys/devices/pci0000:64/0000:64:00.0/{parent}"
        return f"sys/devices/virtual/{card.name}/{parent}"

    def _below_parent(self, path: str) -> tuple[str, list[str]]:
        if not path.startswith(BUS + "/"):
            raise fail(errno.ENOENT, path)
        parent, *rest = path.removeprefix(BUS + "/").split("/")
        self._card(parent)
        return parent, rest

    def _card(self, parent: str) -> Card:
        for card in self.cards.values():
            if parent in card.parents:
                return card
        raise fail(errno.ENOENT, f"{BUS}/{parent}")

    def _pci_id_file(self, parent: str, name: str) -> str:
        vendor, _, device = self._card(parent).pci_id.partition(":")
        return f"0x{vendor if name == 'vendor' else device}\n"

    def _type_file(self, parent: str, type_id: str, name: str, path: str) -> str:
        kind = self._card(parent).types.get(type_id)
        if kind is None or (name == "description" and kind.description is None):
            raise fail(errno.ENOENT, path)
        if name == "create":
            raise fail(errno.EACCES, path)
        files = {"name": kind.name, "description": kind.description, "device_api": "vfio-pci"}
        files["available_instances"] = str(self._available(self._card(parent), parent, kind))
        if name not in files:
            raise fail(errno.ENOENT, path)
        return f"{files[name]}\n"

    def _available(self, card: Card, parent: str, kind: Type) -> int:
        held = [d for d in self.devices.values() if d.card is card]
        if card.pools:
            used = {p: sum(card.types[d.type].cost[p] for d in held) for p in card.pools}
            return min((card.pools[p] - used[p]) // kind.cost[p] for p in card.pools)
        if any(card.types[d.type].size != kind.size for d in held):
            return 0
        left = kind.limit - len(held)
        if len(card.parents) > 1:
            return 0 if any(d.parent == parent for d in held) else min(1, left)
        return left

    def _create(self, card: Card, parent: str, type_id: str, uuid: str) -> None:
        path = f"{BUS}/{parent}/mdev_supported_types/{type_id}/create"
        if type_id not in card.types:
            raise fail(errno.ENOENT, path)
        try:
            uuid = str(uuids.UUID(uuid)) if len(uuid) == 36 else ""
        except ValueError:
            uuid = ""
        if not uuid:
            raise fail(errno.EINVAL, path)
        if uuid in self.devices:
            raise fail(errno.EEXIST, path)
        if self._available(card, parent, card.types[type_id]) < 1:
            raise fail(card.full, path)
        self._groups += 1
        self.created += 1
        self.devices[uuid] = Device(uuid, card, parent, type_id, self._groups)

    def _remove(self, uuid: str, path: str) -> None:
        """Blocks while the device is open; by then it is gone from the bus, but not yet from its parent."""
        if uuid not in self.devices or self.devices[uuid].leaving:
            raise fail(errno.ENOENT, path)
        self.devices[uuid].leaving = True
        node = f"/dev/vfio/{self.devices[uuid].group}"
        with self._closed:
            self._closed.wait_for(lambda: not any(node in p.nodes for p in self.processes.values()))
        if self.devices.pop(uuid, None) is None:
            raise fail(errno.ENODEV, path)


def mdpy() -> Card:
    """Four displays of any of three sizes."""
    sizes = {"vga": "640x480", "xga": "1024x768", "hd": "1920x1080"}
    types = [
        Type(f"mdpy-{k}", k.upper(), f"virtual display, {v} framebuffer", {"instances": 1}) for k, v in sizes.items()
    ]
    return Card("mdpy", ["mdpy"], {t.id: t for t in types}, {"instances": 4}, full=errno.EUSERS)


def mbochs() -> Card:
    """256 MB of video memory for cards of 4, 16 and 64."""
    sizes = {"small": 4, "medium": 16, "large": 64}
    types = [Type(f"mbochs-{k}", k, f"virtual display, {v} MB video memory", {"mb": v}) for k, v in sizes.items()]
    return Card("mbochs", ["mbochs"], {t.id: t for t in types}, {"mb": 256})


def mtty() -> Card:
    """24 serial ports, by one or two; no descriptions."""
    types = [Type(f"mtty-{n}", f"{w} port serial", None, {"ports": n}) for n, w in ((1, "Single"), (2, "Dual"))]
    return Card("mtty", ["mtty"], {t.id: t for t in types}, {"ports": 24})


def nvidia(vfs: int = 16) -> Card:
    """A 16 GiB card behind virtual functions, one size at a time, two series."""
    types = {}
    for number, (size, series) in enumerate([(s, n) for s in (1, 2, 4, 8, 16) for n in "QC"]):
        limit = 16 // size
        text = f"num_heads=4, framebuffer={size * 1024}M, max_resolution=7680x4320, max_instance={limit}"
        kind = Type(f"nvidia-{700 + number}", f"NVIDIA A2-{size}{series}", text, {}, limit, size)
        types[kind.id] = kind
    parents = [f"0000:65:{n // 8:02x}.{n % 8}" for n in range(4, 4 + vfs)]
    return Card("0000:65:00.0", parents, types, numa_node=0, pci_id="10de:25b6")


def gvtg() -> Card:
    """An Intel GPU; low and high graphics memory and fences."""
    types = {}
    for suffix, low, high in ((8, 64, 384), (4, 128, 512), (2, 256, 1024), (1, 512, 2048)):
        text = f"low_gm_size: {low}MB\nhigh_gm_size: {high}MB\nfence: 4\nweight: {16 // suffix}"
        cost = {"low": low, "high": high, "fence": 4}
        types[f"i915-GVTg_V5_{suffix}"] = Type(f"i915-GVTg_V5_{suffix}", f"GVTg_V5_{suffix}", text, cost)
    pools = {"low": 512, "high": 3072, "fence": 28}
    return Card("0000:00:02.0", ["0000:00:02.0"], types, pools, numa_node=0, pci_id="8086:591b")
