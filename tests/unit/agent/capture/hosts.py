"""Fake hosts with cards as their drivers show them, laid out as sysfs is: folders below their bridges, and links."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping

from tests.fakekernel.host import FakeHost
from tests.fakekernel.tree import File, Folder, Link, Tree, fail

PCI = "sys/bus/pci/devices"
ROOT_PORT = "sys/devices/pci0000:64/0000:64:00.0"
L40S, L40S_VF, L40S_FULL = "0000:65:00.0", "0000:65:00.4", "0000:65:00.5"
L40S_SOUND, SHARER = "0000:65:00.1", "0000:66:00.0"
ARC, ARC_VF = "0000:03:00.0", "0000:03:00.1"
FLEX, FLEX_VF = "0000:4d:00.0", "0000:4d:00.1"
ACCELERATOR = "0000:e0:00.0"
NETWORK, ITS_PORT = "0000:01:00.0", "sys/devices/pci0000:00/0000:00:01.0"

BARS = "0x00000000b4000000 0x00000000b4ffffff 0x0000000000040200\n0x0000000000000000 0x0000000000000000 0x0"


def refuses(number: int) -> File:
    """A file whose driver answers a read with this errno."""

    def read() -> str:
        raise fail(number, "a driver's file")

    return File(read=read)


def write_only() -> File:
    """A file that takes values and says nothing."""
    return File(write=lambda value: None)


def function(tree: Tree, address: str, port: str, texts: Mapping[str, str], group: int, driver: str = "") -> str:
    """A PCI function below a root port, in an IOMMU group; returns its real folder."""
    home = f"{port}/{address}"
    tree.put(f"{PCI}/{address}", Link(home))
    said = {"numa_node": "0", "resource": BARS, "driver_override": "(null)", "reset_method": "flr bus", **texts}
    for name, text in said.items():
        tree.text(f"{home}/{name}", text)
    for name in ("remove", "rescan", "reset"):
        tree.put(f"{home}/{name}", write_only())
    tree.text(f"sys/kernel/iommu_groups/{group}/type", "DMA-FQ")
    tree.put(f"sys/kernel/iommu_groups/{group}/devices/{address}", Link(home))
    tree.put(f"{home}/iommu_group", Link(f"sys/kernel/iommu_groups/{group}"))
    if driver:
        tree.put(f"sys/bus/pci/drivers/{driver}/bind", write_only())
        tree.put(f"{home}/driver", Link(f"sys/bus/pci/drivers/{driver}"))
    return home


def ids(kind: str, pci_id: str, **more: str) -> dict[str, str]:
    """The files that say what a function is."""
    vendor, device = pci_id.split(":")
    return {"class": kind, "vendor": f"0x{vendor}", "device": f"0x{device}", **more}


def bridge(tree: Tree, home: str) -> None:
    """A root port."""
    address = home.rpartition("/")[2]
    tree.put(f"{PCI}/{address}", Link(home))
    for name, text in ids("0x060400", "8086:347a", secondary_bus_number="101").items():
        tree.text(f"{home}/{name}", text)


def host() -> FakeHost:
    """A kernel with its modules and memory, and a network card that is nobody's business."""
    made = FakeHost(numa_nodes=2)
    tree = made.tree
    tree.text("proc/sys/kernel/osrelease", "6.19.0-amd64")
    tree.text("proc/cmdline", "root=UUID=1 ro intel_iommu=on iommu=pt")
    tree.text("sys/kernel/security/lockdown", "[none] integrity confidentiality")
    tree.put("sys/class/iommu/dmar0", Link("sys/devices/virtual/iommu/dmar0"))
    tree.put("sys/devices/virtual/iommu/dmar0", Folder())
    for module in ("vfio", "vfio_pci", "snd_hda_intel"):
        tree.text(f"sys/module/{module}/initstate", "live")
    for node in (0, 1):
        tree.text(f"sys/devices/system/node/node{node}/cpulist", f"{node * 16}-{node * 16 + 15}")
        tree.text(f"sys/devices/system/node/node{node}/meminfo", f"Node {node} MemTotal:       65843212 kB")
        tree.text(f"sys/devices/system/node/node{node}/hugepages/hugepages-2048kB/nr_hugepages", "512")
    bridge(tree, ITS_PORT)
    function(tree, NETWORK, ITS_PORT, ids("0x020000", "8086:1593"), 3, "ice")
    return made


def with_nvidia_vfio() -> FakeHost:
    """An L40S cut by NVIDIA's own VFIO, one function in use, its sound and a disk in its IOMMU group."""
    made = host()
    tree = made.tree
    bridge(tree, ROOT_PORT)
    card = function(tree, L40S, ROOT_PORT, ids("0x030200", "10de:26b9", sriov_totalvfs="32", sriov_numvfs="2"), 40)
    function(tree, L40S_SOUND, ROOT_PORT, ids("0x040300", "10de:22ba"), 40, "snd_hda_intel")
    function(tree, SHARER, "sys/devices/pci0000:64/0000:64:01.0", ids("0x010802", "144d:a80a"), 40, "nvme")
    bridge(tree, "sys/devices/pci0000:64/0000:64:01.0")
    for number, (address, current, creatable) in enumerate(
        [
            (L40S_VF, "0", "ID    : vGPU Name\n1147  : NVIDIA L40S-1Q\n1148  : NVIDIA L40S-2Q"),
            (L40S_FULL, "1148", "ID    : vGPU Name"),
        ]
    ):
        home = function(tree, address, ROOT_PORT, ids("0x030200", "10de:26b9"), 41 + number, "nvidia")
        tree.put(f"{home}/physfn", Link(card))
        tree.put(f"{card}/virtfn{number}", Link(home))
        tree.text(f"{home}/nvidia/creatable_vgpu_types", creatable)
        tree.text(f"{home}/nvidia/current_vgpu_type", current)
        for name in ("gpu_instance_id", "placement_id"):
            tree.put(f"{home}/nvidia/{name}", refuses(errno.ENXIO) if current == "0" else File(read=lambda: "0\n"))
        tree.put(f"{home}/nvidia/vgpu_params", refuses(errno.EIO))
    tree.put(f"{ROOT_PORT}/{L40S_FULL}/vfio-dev/vfio7", Folder())
    tree.text("sys/module/nvidia/version", "570.124.06")
    tree.text(
        "proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (ada@lovelace)  Tue",
    )
    return made


def with_xe() -> FakeHost:
    """An Arc Pro of driver xe with one virtual function, on a kernel that shows its profiles."""
    made = host()
    port, tree = "sys/devices/pci0000:00/0000:00:06.0", made.tree
    bridge(tree, port)
    card = function(tree, ARC, port, ids("0x030000", "8086:e211", sriov_totalvfs="12", sriov_numvfs="1"), 20, "xe")
    virtual = function(tree, ARC_VF, port, ids("0x030000", "8086:e211"), 21, "xe-vfio-pci")
    tree.put(f"{virtual}/physfn", Link(card))
    tree.put(f"{card}/virtfn0", Link(virtual))
    admin = f"{card}/sriov_admin"
    for name, device in {"pf": card, "vf1": virtual, "vf2": ""}.items():
        for file, text in {"exec_quantum_ms": "0", "sched_priority": "[low] normal high"}.items():
            tree.text(f"{admin}/{name}/profile/{file}", text)
        tree.put(f"{admin}/{name}/profile/preempt_timeout_us", refuses(errno.EUCLEAN))
        if name != "pf":
            tree.text(f"{admin}/{name}/profile/vram_quota", str(4 << 30))
            tree.put(f"{admin}/{name}/stop", write_only())
        if device:
            tree.put(f"{admin}/{name}/device", Link(device))
    for file in ("exec_quantum_ms", "preempt_timeout_us", "sched_priority", "vram_quota"):
        tree.put(f"{admin}/.bulk_profile/{file}", write_only())
    tree.text("sys/module/xe/parameters/max_vfs", "12")
    return made


def with_i915() -> FakeHost:
    """A Flex of the out-of-tree i915, and a processing accelerator without a driver."""
    made = host()
    port, tree = "sys/devices/pci0000:4a/0000:4a:02.0", made.tree
    bridge(tree, port)
    card = function(tree, FLEX, port, ids("0x038000", "8086:56c0", sriov_totalvfs="31", sriov_numvfs="0"), 60, "i915")
    iov = f"{card}/drm/card1/prelim_iov"
    tree.text(f"{iov}/pf/auto_provisioning", "1")
    tree.put(f"{iov}/pf/device", Link(card))
    for file in ("lmem_quota", "ggtt_quota", "contexts_quota", "doorbells_quota"):
        tree.text(f"{iov}/vf1/gt0/{file}", "0")
    tree.put(f"{card}/drm/renderD129", Folder())
    tree.text("sys/module/i915/parameters/max_vfs", "31")
    function(tree, ACCELERATOR, "sys/devices/pci0000:e0", ids("0x120000", "1da3:1060"), 61)
    return made


HOSTS: dict[str, Callable[[], FakeHost]] = {
    "nvidia-vfio": with_nvidia_vfio,
    "xe": with_xe,
    "i915": with_i915,
    "bare": host,
}
