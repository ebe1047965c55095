"""PCI functions as the kernel shows them: what they are, which driver holds them, their group and their BARs.

Sources: Documentation/ABI/testing/sysfs-bus-pci and Documentation/PCI/pci-iov-howto.rst.
"""

from __future__ import annotations

import re

from libvf_api.pci import BadPciAddress, PciAddress

from libvf_agent import vfio
from libvf_agent.inventory import Function, Sriov
from libvf_agent.sysfs import Opener, Sysfs

DEVICES = "sys/bus/pci/devices"
DRIVERS = "sys/bus/pci/drivers"
PROBE = "sys/bus/pci/drivers_probe"
VFIO = "vfio-pci"

_MEMORY = 0x200  # include/linux/ioport.h: IORESOURCE_MEM
_BARS = 6
MOST_FUNCTIONS = 256  # of one bus: no card has more, and a file that says so is not believed


def is_address(name: str) -> bool:
    """Whether it is a PCI address as the kernel writes it; names of virtual cards are not."""
    try:
        return str(PciAddress.parse(name)) == name
    except BadPciAddress:
        return False


def read(sysfs: Sysfs, address: str) -> Function:
    """The function of that address; one that is gone has neither class nor driver."""
    folder = f"{DEVICES}/{address}"
    override = sysfs.read_or(f"{folder}/driver_override", "")
    return Function(
        address=address,
        class_code=_hexadecimal(sysfs.read_or(f"{folder}/class", "")),
        pci_id=ids(sysfs, folder),
        driver=sysfs.link_name(f"{folder}/driver") or "",
        override="" if override == "(null)" else override,
        group=vfio.group(sysfs, folder),
        boot_vga=sysfs.read_or(f"{folder}/boot_vga", "0") == "1",
        reset_methods=tuple(sysfs.read_or(f"{folder}/reset_method", "").split()),
        bars=bars(sysfs.read_or(f"{folder}/resource", "")),
        sriov=_sriov(sysfs, folder),
    )


def ids(sysfs: Sysfs, folder: str) -> str:
    """Vendor and device id, "10de:25b6"; empty where they are not as the kernel writes them."""
    found = [_hexadecimal(sysfs.read_or(f"{folder}/{name}", "")) for name in ("vendor", "device")]
    return ":".join(found) if all(found) else ""


def _sriov(sysfs: Sysfs, folder: str) -> Sriov | None:
    total = number(sysfs.read_or(f"{folder}/sriov_totalvfs", "0"))
    if not 0 < total <= MOST_FUNCTIONS:
        return None
    count, offset, stride = (
        number(sysfs.read_or(f"{folder}/sriov_{name}", "0")) for name in ("numvfs", "offset", "stride")
    )
    autoprobe = sysfs.read_or(f"{folder}/sriov_drivers_autoprobe", "1") != "0"
    return Sriov(total, min(count, total), offset, stride, autoprobe)


def virtual_address(physical: Function, number: int) -> str:
    """Where virtual function `number` (from 0) appears, also before it is there."""
    at, sriov = PciAddress.parse(physical.address), physical.sriov or Sriov(0)
    routing = (at.bus << 8) + (at.device << 3) + at.function + sriov.offset + number * sriov.stride
    return str(PciAddress(at.domain, routing >> 8, routing >> 3 & 0x1F, routing & 7))


def physical(sysfs: Sysfs) -> list[Function]:
    """Every physical function, in the order of addresses."""
    names = [name for name in sysfs.names(DEVICES) if is_address(name)]
    return [read(sysfs, name) for name in names if not sysfs.exists(f"{DEVICES}/{name}/physfn")]


def virtual(sysfs: Sysfs, address: str) -> list[str]:
    """The addresses of a physical function's virtual ones, by their number."""
    folder = f"{DEVICES}/{address}"
    numbers = sorted(int(n[6:]) for n in sysfs.names(folder) if re.fullmatch(r"virtfn[0-9]{1,4}", n))
    links = (sysfs.link_name(f"{folder}/virtfn{n}") for n in numbers)
    return [link for link in links if link]


def group_members(sysfs: Sysfs, group: int) -> list[Function]:
    """The functions of an IOMMU group, bridges left out."""
    names = sysfs.names(f"sys/kernel/iommu_groups/{group}/devices")
    return [f for f in (read(sysfs, name) for name in names if is_address(name)) if not f.is_bridge]


def siblings(sysfs: Sysfs, address: str) -> list[Function]:
    """All functions of the same slot, itself first: a card's audio and USB functions."""
    slot = address.rpartition(".")[0]
    names = [n for n in sysfs.names(DEVICES) if n.rpartition(".")[0] == slot and n != address]
    return [read(sysfs, address), *(read(sysfs, name) for name in names)]


def nodes(sysfs: Sysfs, address: str) -> list[str]:
    """The device nodes by which processes use a function: VFIO's, and those of its graphics driver.

    NVIDIA numbers its nodes in /proc/driver/nvidia/gpus/<address>/information, "Device Minor".
    """
    folder = f"{DEVICES}/{address}"
    found = vfio.nodes(sysfs, folder)
    found += [f"/dev/dri/{n}" for n in sysfs.names(f"{folder}/drm") if n.startswith(("card", "render"))]
    told = sysfs.read_or(f"proc/driver/nvidia/gpus/{address}/information", "")
    minor = re.search(r"^Device Minor:\s*([0-9]{1,4})\s*$", told, re.MULTILINE)
    return found + ([f"/dev/nvidia{minor[1]}"] if minor else [])


def openers(sysfs: Sysfs, address: str) -> list[Opener]:
    """The processes that have a function open."""
    found = sysfs.openers(*nodes(sysfs, address))
    return sorted(set(found), key=lambda opener: opener.pid)


def in_use(sysfs: Sysfs, address: str) -> bool:
    """Whether somebody works with a virtual function: a driver of the host, or a process that has it open.

    NVIDIA's driver holds its functions all the time, and works with those that are a vGPU.
    """
    function = read(sysfs, address)
    vgpu = sysfs.read_or(f"{DEVICES}/{address}/nvidia/current_vgpu_type", "")
    works = vgpu != "0" if vgpu else bool(function.driver) and not function.on_vfio
    return works or bool(openers(sysfs, address))


def numa_node(sysfs: Sysfs, folder: str) -> int | None:
    """The firmware's word; on a host of one node 0; unknown (-1) on a host of several stays unknown."""
    said = sysfs.read_or(f"{folder}/numa_node", "-1")
    if _decimal(said):
        return int(said)
    count = sum(1 for n in sysfs.names("sys/devices/system/node") if re.fullmatch(r"node[0-9]+", n))
    return 0 if count <= 1 else None


def pcie_root(sysfs: Sysfs, folder: str) -> str | None:
    """`pci0000:64`, from a device's real path; virtual cards have none."""
    found = re.search(r"(?:^|/)(pci[0-9a-f]{4}:[0-9a-f]{2})(?:/|$)", sysfs.real(folder) or "")
    return found[1] if found else None


def bars(resource: str) -> tuple[int, ...]:
    """Sizes of the memory BARs from a `resource` file: lines of start, end and flags in hexadecimal."""
    sizes = []
    for line in resource.splitlines()[:_BARS]:
        found = re.fullmatch(r"0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})", line.strip())
        if found:
            start, end, flags = (int(word, 16) for word in found.groups())
            sizes += [end - start + 1] if flags & _MEMORY and end > start else []
    return tuple(sizes)


def number(text: str) -> int:
    """A count as sysfs writes it; 0 for anything else."""
    return int(text) if _decimal(text) and len(text) < 20 else 0


def _decimal(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _hexadecimal(text: str) -> str:
    digits = text.removeprefix("0x")
    return digits if re.fullmatch(r"[0-9a-f]{4,6}", digits) else ""
