"""Small trees that look like hosts with GPUs and lack nothing, for tests that take one thing away."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from libvf_agent.doctor.facts import NodeInfo
from libvf_agent.doctor.look import look
from libvf_api.host import Finding, Severity

PCI = "sys/bus/pci/devices"
A2, VF = "0000:65:00.0", "0000:65:00.4"
UHD = "0000:00:02.0"
ARC = "0000:03:00.0"
PAGES = "sys/devices/system/node/node{}/hugepages/hugepages-2048kB/{}_hugepages"
CURRENT = NodeInfo("v1.36.1", "containerd://2.0.4")
TYPES = "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4"


@dataclass
class Host:
    """A tree on disk."""

    root: Path

    @property
    def hook(self) -> Path:
        return self.root / "var/lib/libvf/bin/libvf-hook"

    def write(self, path: str, text: str = "") -> None:
        """Somebody writes a file; with a newline, as the kernel shows one."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n")

    def link(self, path: str, target: str) -> None:
        """A link, of which only the last part of the target matters."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(target)

    def remove(self, path: str) -> None:
        """A file, link or folder goes."""
        target = self.root / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()

    def findings(self, node: NodeInfo | None = CURRENT) -> tuple[Finding, ...]:
        """What the doctor says of it."""
        return look(self.root, self.hook, node).findings

    def finding(self, check: str, subject: str | None = None, node: NodeInfo | None = CURRENT) -> Finding:
        """The one finding of a check, of one subject where there are more."""
        [found] = [f for f in self.findings(node) if f.check == check and subject in (None, f.subject)]
        return found

    def complaints(self) -> list[tuple[str, Severity]]:
        """Checks that are not ok."""
        return [(f.check, f.severity) for f in self.findings() if f.severity is not Severity.OK]

    def card(self, address: str, pci_id: str, driver: str | None, numa: str = "0") -> None:
        """A display device in an IOMMU group."""
        vendor, device = pci_id.split(":")
        for name, text in {"class": "0x030200", "vendor": f"0x{vendor}", "device": f"0x{device}"}.items():
            self.write(f"{PCI}/{address}/{name}", text)
        self.write(f"{PCI}/{address}/numa_node", numa)
        self.link(f"{PCI}/{address}/iommu_group", "../../../../kernel/iommu_groups/7")
        if driver:
            self.bind(address, driver)

    def bind(self, address: str, driver: str) -> None:
        """A driver takes the card, whoever had it."""
        (self.root / f"sys/bus/pci/drivers/{driver}").mkdir(parents=True, exist_ok=True)
        self.link(f"{PCI}/{address}/driver", f"../../drivers/{driver}")

    def function(self, card: str, function: str) -> None:
        """A virtual function of a card."""
        self.card(function, "10de:25b6", "nvidia")
        self.link(f"{PCI}/{function}/physfn", f"../{card}")
        self.link(f"{PCI}/{card}/virtfn0", f"../{function}")

    def mdev_type(self, parent: str, type_id: str, description: str, available: int) -> None:
        """A type under a parent in mdev_bus, where the parent is a PCI function."""
        folder = f"{PCI}/{parent}/mdev_supported_types/{type_id}"
        self.write(f"{folder}/name", f"NVIDIA {type_id}")
        self.write(f"{folder}/description", description)
        self.write(f"{folder}/available_instances", str(available))
        self.link(f"sys/class/mdev_bus/{parent}", f"../../bus/pci/devices/{parent}")

    def process(self, pid: int, name: str) -> None:
        """A process that runs."""
        self.write(f"proc/{pid}/comm", name)


def bare(root: Path) -> Host:
    """A host of two NUMA nodes that lacks nothing, and has no GPU."""
    host = Host(root)
    host.write("proc/cpuinfo", "vendor_id\t: GenuineIntel\nflags\t\t: fpu vmx sse")
    host.write("proc/cmdline", "root=UUID=1 ro intel_iommu=on iommu=pt")
    host.write("proc/sys/kernel/osrelease", "6.12.9-amd64")
    host.write("sys/class/iommu/dmar0/devices")
    host.write("sys/kernel/iommu_groups/7/type", "DMA")
    for module in ("vfio", "vfio_iommu_type1", "vfio_pci", "kvm", "kvm_intel"):
        host.write(f"sys/module/{module}/taint")
    host.write("dev/kvm")
    host.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids")
    for node in (0, 1):
        host.write(PAGES.format(node, "nr"), "1024")
        host.write(PAGES.format(node, "free"), "512")
    host.write("var/lib/libvf/bin/libvf-hook")
    host.hook.chmod(0o755)
    return host


def with_nvidia(root: Path) -> Host:
    """With a card that is cut by mediated devices in its virtual function, and its vGPU manager."""
    host = bare(root)
    host.card(A2, "10de:25b6", "nvidia")
    host.function(A2, VF)
    host.write(f"{PCI}/{A2}/sriov_totalvfs", "16")
    host.write(f"{PCI}/{A2}/sriov_numvfs", "1")
    host.mdev_type(VF, "nvidia-746", TYPES, 1)
    host.write("sys/module/nvidia/version", "550.144.02")
    host.write("sys/module/nvidia_vgpu_vfio/taint")
    host.process(700, "nvidia-vgpud")
    host.process(701, "nvidia-vgpu-mgr")
    return host


def with_gvt(root: Path) -> Host:
    """With an Intel GPU that GVT-g shares."""
    host = bare(root)
    host.card(UHD, "8086:5912", "i915")
    host.mdev_type(UHD, "i915-GVTg_V5_4", "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nweight: 4", 2)
    host.write("sys/module/i915/parameters/enable_gvt", "Y")
    host.write("sys/module/kvmgt/taint")
    return host


def with_xe(root: Path) -> Host:
    """With an Intel card of driver xe that has virtual functions, on a kernel that can schedule them."""
    host = bare(root)
    host.write("proc/sys/kernel/osrelease", "6.19.0")
    host.card(ARC, "8086:e211", "xe")
    host.write(f"{PCI}/{ARC}/sriov_totalvfs", "24")
    host.write(f"{PCI}/{ARC}/sriov_numvfs", "0")
    host.write("sys/module/xe/parameters/max_vfs", "24")
    return host
