"""What somebody who is not the agent sees, makes and removes on a kernel: an administrator with a shell."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from libvf_agent.sysfs import Files

from tests.fakekernel.host import FakeHost
from tests.integration.judge.rules import Piece

MDEV_BUS = "sys/class/mdev_bus"
MDEVS = "sys/bus/mdev/devices"
PCI = "sys/bus/pci"
VFIO = "vfio-pci"


class ByHand(Protocol):
    """One way of carving. Devices have the names the kernel gives them; `kind` is a type as the judge calls it."""

    def there(self, files: Files) -> dict[str, tuple[str, Piece]]:
        """Every device that exists: the card it is on, and what it is."""

    def parents(self, files: Files, card: str, kind: str) -> Sequence[str]:
        """Where somebody could try to make a device."""

    def make(self, files: Files, parent: str, kind: str, name: str) -> str | None:
        """A device made there, by this name where it can have any; None where the driver refuses."""

    def remove(self, files: Files, name: str) -> None:
        """Remove a device."""


@dataclass(frozen=True, slots=True)
class Mdev:
    """Mediated devices."""

    def there(self, files: Files) -> dict[str, tuple[str, Piece]]:
        found = {}
        for uuid in files.names(MDEVS):
            parent, _, kind = files.real(f"{MDEVS}/{uuid}/mdev_type").split("/")[-3:]
            found[uuid] = (_physical(files, f"{MDEV_BUS}/{parent}"), Piece(kind))
        return found

    def parents(self, files: Files, card: str, kind: str) -> Sequence[str]:
        return [parent for parent in files.names(MDEV_BUS) if _physical(files, f"{MDEV_BUS}/{parent}") == card]

    def make(self, files: Files, parent: str, kind: str, name: str) -> str | None:
        try:
            files.write(f"{MDEV_BUS}/{parent}/mdev_supported_types/{kind}/create", name)
        except OSError:
            return None
        return name

    def remove(self, files: Files, name: str) -> None:
        files.write(f"{MDEVS}/{name}/remove", "1")


@dataclass(frozen=True, slots=True)
class PciFunctions:
    """Functions on vfio-pci, virtual ones and whole cards; a foreign one is also held open, as by a VM of its own.

    `virtual` is false where nobody else takes virtual functions: those that the agent made stay when a stranger has
    one while the last claim goes, and then the card is not whole again before the next boot.
    """

    virtual: bool = True

    def there(self, files: Files) -> dict[str, tuple[str, Piece]]:
        found = {}
        for address in files.names(f"{PCI}/devices"):
            folder = f"{PCI}/devices/{address}"
            if _driver(files, address) == VFIO and _class(files, address) in ("03", "12"):
                card = _physical(files, folder)
                vendor = {"0x1002": "amd", "0x10de": "nvidia"}[files.read(f"{folder}/vendor").strip()]
                found[address] = (card, Piece(f"{vendor}-{'whole' if card == address else 'vf'}"))
        return found

    def parents(self, files: Files, card: str, kind: str) -> Sequence[str]:
        """Virtual functions that exist and are idle; the card itself while it has none."""
        folder = f"{PCI}/devices/{card}"
        virtual = [name for name in files.names(folder) if name.startswith("virtfn")]
        if kind.endswith("-whole"):
            return [card] if not virtual and _driver(files, card) != VFIO else []
        addresses = [posixpath.basename(files.link(f"{folder}/{name}")) for name in virtual]
        return [address for address in addresses if self.virtual and not _driver(files, address)]

    def make(self, files: Files, parent: str, kind: str, name: str) -> str | None:
        self._move(files, parent, VFIO)
        assert isinstance(files, FakeHost)
        group = posixpath.basename(files.link(f"{PCI}/devices/{parent}/iommu_group"))
        files.open(f"/dev/vfio/{group}", pid=_pid(group))
        return parent

    def remove(self, files: Files, name: str) -> None:
        assert isinstance(files, FakeHost)
        files.close(_pid(posixpath.basename(files.link(f"{PCI}/devices/{name}/iommu_group"))))
        self._move(files, name, "\n")

    def _move(self, files: Files, address: str, override: str) -> None:
        files.write(f"{PCI}/devices/{address}/driver_override", override)
        if driver := _driver(files, address):
            files.write(f"{PCI}/drivers/{driver}/unbind", address)
        # a virtual function that the host does not want goes back to no driver
        if override != "\n" or not files.exists(f"{PCI}/devices/{address}/physfn"):
            files.write(f"{PCI}/drivers_probe", address)


@dataclass(frozen=True, slots=True)
class Vgpus:
    """Virtual functions that NVIDIA's driver has made vGPUs of; `placed` where it mixes sizes and tells places."""

    placed: bool = False

    def there(self, files: Files) -> dict[str, tuple[str, Piece]]:
        found = {}
        for address in files.names(f"{PCI}/devices"):
            folder = f"{PCI}/devices/{address}"
            number = files.read(f"{folder}/nvidia/current_vgpu_type").strip() if _is_vgpu(files, folder) else "0"
            if number != "0":
                place = int(files.read(f"{folder}/nvidia/placement_id")) if self.placed else None
                found[address] = (_physical(files, folder), Piece(f"nvidia-{number}", place))
        return found

    def parents(self, files: Files, card: str, kind: str) -> Sequence[str]:
        devices = (f"{PCI}/devices/{address}" for address in files.names(f"{PCI}/devices"))
        folders = [folder for folder in devices if _is_vgpu(files, folder) and _physical(files, folder) == card]
        free = [f for f in folders if files.read(f"{f}/nvidia/current_vgpu_type").strip() == "0"]
        return [posixpath.basename(folder) for folder in free]

    def make(self, files: Files, parent: str, kind: str, name: str) -> str | None:
        try:
            files.write(f"{PCI}/devices/{parent}/nvidia/current_vgpu_type", kind.rpartition("-")[2])
        except OSError:
            return None
        return parent

    def remove(self, files: Files, name: str) -> None:
        files.write(f"{PCI}/devices/{name}/nvidia/current_vgpu_type", "0")


@dataclass(frozen=True, slots=True)
class Quotas:
    """Virtual functions of Intel's xe, each with its quota of memory; nobody but the agent makes any."""

    def there(self, files: Files) -> dict[str, tuple[str, Piece]]:
        found = {}
        for address in files.names(f"{PCI}/devices"):
            folder = f"{PCI}/devices/{address}"
            if "vfio" in _driver(files, address) and files.exists(f"{folder}/physfn"):
                card = _physical(files, folder)
                admin = f"{PCI}/devices/{card}/sriov_admin"
                [mine] = [n for n in files.names(admin) if _leads(files, f"{admin}/{n}/device", address)]
                quota = int(files.read(f"{admin}/{mine}/profile/vram_quota"))
                found[address] = (card, Piece(f"intel-vf-{quota >> 20}m"))
        return found

    def parents(self, files: Files, card: str, kind: str) -> Sequence[str]:
        return []

    def make(self, files: Files, parent: str, kind: str, name: str) -> str | None:
        return None

    def remove(self, files: Files, name: str) -> None:
        raise AssertionError(f"{name} was made by nobody")


MDEV = Mdev()
VGPUS = Vgpus()
PLACED_VGPUS = Vgpus(placed=True)
QUOTAS = Quotas()
FUNCTIONS = PciFunctions()
WHOLE_CARDS = PciFunctions(virtual=False)


def _pid(group: str) -> int:
    return 50_000 + int(group)


def _is_vgpu(files: Files, folder: str) -> bool:
    return files.exists(f"{folder}/nvidia/current_vgpu_type")


def _leads(files: Files, link: str, address: str) -> bool:
    return files.exists(link) and posixpath.basename(files.real(link)) == address


def _driver(files: Files, address: str) -> str:
    link = f"{PCI}/devices/{address}/driver"
    return posixpath.basename(files.link(link)) if files.exists(link) else ""


def _class(files: Files, address: str) -> str:
    return files.read(f"{PCI}/devices/{address}/class").strip().removeprefix("0x")[:2]


def _physical(files: Files, folder: str) -> str:
    """The physical function of a virtual one, else the thing itself."""
    physical = f"{folder}/physfn"
    return posixpath.basename(files.real(physical) if files.exists(physical) else folder)
