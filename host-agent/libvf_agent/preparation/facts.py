"""What matters of a host, as values; pure functions of what was read of it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import Enum

from libvf_agent.errors import PreparationError
from libvf_agent.preparation import words
from libvf_agent.preparation.snapshot import Snapshot

OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
CPUINFO = "proc/cpuinfo"
CMDLINE = "proc/cmdline"
KERNEL_VERSION = "proc/sys/kernel/osrelease"
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
PCI = "sys/bus/pci/devices"
MODULE_FOLDERS = ("usr/lib/modules", "lib/modules")

INTEL, NVIDIA = 0x8086, 0x10DE
# Broadwell to Comet Lake, the generations the kernel's i915 lets GVT-g start on: the first half of the device id
_GVT_FAMILIES = {0x16, 0x19, 0x59, 0x3E, 0x9B}
_GVT_OTHERS = {0x0A84, 0x1A84, 0x1A85, 0x5A84, 0x5A85, 0x87C0, 0x87CA}


class Cpu(Enum):
    """Whose CPU it is."""

    INTEL = "Intel"
    AMD = "AMD"
    OTHER = "another"


class SecureBoot(Enum):
    """Whether the firmware lets only signed code start."""

    ON = "on"
    OFF = "off"
    NONE = "none (no UEFI, or it does not say)"


@dataclass(frozen=True, slots=True)
class System:
    """The distribution: `kin` is its own id and those it says it is like."""

    name: str
    kin: tuple[str, ...]

    def is_like(self, *ids: str) -> bool:
        """Whether it is one of these or says it is like one."""
        return any(one in ids for one in self.kin)


@dataclass(frozen=True, slots=True)
class Card:
    """A display device on the PCI bus."""

    address: str
    vendor: int
    device: int
    driver: str | None

    @property
    def told(self) -> str:
        """As `lspci -n` writes it."""
        return f"{self.address} ({self.vendor:04x}:{self.device:04x})"

    @property
    def has_gvt(self) -> bool:
        """Whether GVT-g knows this GPU."""
        return self.vendor == INTEL and (self.device >> 8 in _GVT_FAMILIES or self.device in _GVT_OTHERS)


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel that runs; `loadable` is None where its list of modules was not found."""

    version: str
    words: tuple[str, ...]
    loadable: frozenset[str] | None
    builtin: frozenset[str]
    loaded: frozenset[str]

    def has(self, module: str) -> bool:
        """Whether it can have the module; true where nothing is known."""
        return self.loadable is None or module in self.loadable | self.builtin


@dataclass(frozen=True, slots=True)
class Facts:
    """A host."""

    system: System
    cpu: Cpu
    virtualisation: bool
    cards: tuple[Card, ...]
    kernel: Kernel
    secure_boot: SecureBoot
    seen: Snapshot

    def cards_of(self, vendor: int) -> tuple[Card, ...]:
        """The display devices of one vendor."""
        return tuple(card for card in self.cards if card.vendor == vendor)


def of(seen: Snapshot, system: System | None = None) -> Facts:
    """The facts in a snapshot; PreparationError where there is no host to be seen.

    `system` is for who does not ask for the distribution, and goes without /etc/os-release.
    """
    cpu, virtualisation = _cpu(seen.text(CPUINFO))
    return Facts(system or _system(seen), cpu, virtualisation, _cards(seen), _kernel(seen), _secure_boot(seen), seen)


def _system(seen: Snapshot) -> System:
    text = next((seen.texts[path] for path in OS_RELEASE if path in seen.texts), None)
    if text is None:
        raise PreparationError("there is no /etc/os-release: is --root the root folder of a host?")
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    values = {key: " ".join(shlex.split(value)) for key, value in fields.items()}
    kin = (values.get("ID", "linux"), *values.get("ID_LIKE", "").split())
    return System(values.get("PRETTY_NAME", kin[0]), kin)


def _cpu(cpuinfo: str) -> tuple[Cpu, bool]:
    vendor = re.search(r"^vendor_id\s*:\s*(\S+)", cpuinfo, re.MULTILINE)
    flags = re.search(r"^flags\s*:(.*)", cpuinfo, re.MULTILINE)
    known = {"GenuineIntel": Cpu.INTEL, "AuthenticAMD": Cpu.AMD, "HygonGenuine": Cpu.AMD}
    cpu = known.get(vendor[1], Cpu.OTHER) if vendor else Cpu.OTHER
    return cpu, bool(flags and {"vmx", "svm"} & set(flags[1].split()))


def _cards(seen: Snapshot) -> tuple[Card, ...]:
    cards = []
    for path, kind in seen.texts_like(f"{PCI}/*/class").items():
        folder = path.rpartition("/")[0]
        if not kind.startswith("0x03"):
            continue
        vendor, device = (int(seen.text(f"{folder}/{name}") or "0", 16) for name in ("vendor", "device"))
        cards.append(Card(folder.rpartition("/")[2], vendor, device, seen.links.get(f"{folder}/driver")))
    return tuple(cards)


def _kernel(seen: Snapshot) -> Kernel:
    version = seen.text(KERNEL_VERSION).strip()
    lists = {
        kind: next((text for path, text in seen.texts.items() if path in _module_lists(version, kind)), None)
        for kind in ("dep", "builtin")
    }
    return Kernel(
        version=version,
        words=words.split(seen.text(CMDLINE)),
        loadable=None if lists["dep"] is None else _modules(lists["dep"]),
        builtin=_modules(lists["builtin"] or ""),
        loaded=frozenset(name.rpartition("/")[2] for name in seen.names if name.startswith("sys/module/")),
    )


def _module_lists(version: str, kind: str) -> tuple[str, ...]:
    return tuple(f"{folder}/{version}/modules.{kind}" for folder in MODULE_FOLDERS)


def _modules(listing: str) -> frozenset[str]:
    """Names of `kernel/drivers/vfio/vfio.ko.zst: ...`; a dash in a file's name is an underscore in the module's."""
    paths = (line.split(":")[0] for line in listing.splitlines())
    return frozenset(path.rpartition("/")[2].split(".")[0].replace("-", "_") for path in paths)


def _secure_boot(seen: Snapshot) -> SecureBoot:
    """The variable is four bytes of attributes and then one of value."""
    variable = seen.text(SECURE_BOOT)
    if len(variable) != 5:
        return SecureBoot.NONE
    return SecureBoot.ON if variable[4] == "\x01" else SecureBoot.OFF
