"""The doctor's one look at a host: opens files, decides nothing, and goes on where one can not be read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from libvf_agent import cpu_manager, kvm
from libvf_agent.backends.mediated import BUS
from libvf_agent.doctor.facts import CONTROLLERS, ENABLE_GVT, MAX_VFS, Facts, Gpu, HugePages, NodeInfo, NumaNode
from libvf_agent.errors import PreparationError, SysfsError
from libvf_agent.preparation import facts as host_facts
from libvf_agent.preparation import reader
from libvf_agent.preparation.facts import NVIDIA, PCI, Card, System
from libvf_agent.preparation.root import HostRoot
from libvf_agent.sysfs import HostFiles, Sysfs

NODES = "sys/devices/system/node"


def read(root: Path, hook: Path, node: NodeInfo | None = None) -> Facts:
    """The host below `root` as it is now; `hook` is the agent's helper, `node` what the API server says of it."""
    return _Reader(root).facts(hook, node)


class _Root(HostRoot):
    """The preparation's door, for who may not be root: what can not be read is noted and left out."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.unreadable: list[str] = []

    def read(self, name: str) -> bytes | None:
        try:
            return super().read(name)
        except PreparationError:
            self.unreadable.append(name)
            return None


class _Reader:
    def __init__(self, root: Path) -> None:
        self._root = _Root(root)
        self._sysfs = Sysfs(HostFiles(str(root)))

    def facts(self, hook: Path, node: NodeInfo | None) -> Facts:
        # the distribution is asked for only by who changes it, and in a container it would be another's
        host = reader.read(self._root, System("this host", ()))
        controllers = self._text(CONTROLLERS)
        return Facts(
            host=host,
            gpus=self._gpus(host),
            iommus=tuple(self._names("sys/class/iommu")),
            iommu_groups=len(self._names("sys/kernel/iommu_groups")),
            vfio_core=any(self._sysfs.exists(f"sys/class/{name}") for name in ("vfio", "vfio-dev")),
            kvm_refusal=kvm.refusal(str(self._root.path("dev/kvm"))),
            parameters={path: text for path in (ENABLE_GVT, MAX_VFS) if (text := self._text(path)) is not None},
            taints=self._taints(host.kernel.loaded),
            nvidia_version=self._text("sys/module/nvidia/version") or "",
            processes=self._processes() if host.cards_of(NVIDIA) else frozenset(),
            numa_nodes=self._numa_nodes(),
            cells_refused=cpu_manager.refusal(lambda path: self._sysfs.read_or(path, "")),
            controllers=None if controllers is None else tuple(controllers.split()),
            hook=os.access(hook, os.X_OK),
            node=node,
            unreadable=tuple(dict.fromkeys(self._root.unreadable)),
        )

    def _text(self, path: str) -> str | None:
        """The stripped text, None where there is none or it may not be read."""
        try:
            return self._sysfs.read(path)
        except SysfsError:
            if self._sysfs.exists(path):
                self._root.unreadable.append(path)
            return None

    def _names(self, path: str) -> list[str]:
        try:
            return self._sysfs.names(path)
        except SysfsError:
            self._root.unreadable.append(path)
            return []

    def _number(self, path: str) -> int | None:
        text = self._text(path) or ""
        return int(text) if text.isascii() and text.isdecimal() else None

    def _gpus(self, host: host_facts.Facts) -> tuple[Gpu, ...]:
        """The physical ones: a virtual function is a part of its card."""
        parents = {parent: self._sysfs.link_name(f"{BUS}/{parent}/physfn") for parent in self._names(BUS)}
        physical = [card for card in host.cards if not self._sysfs.exists(f"{PCI}/{card.address}/physfn")]
        return tuple(self._gpu(card, parents) for card in physical)

    def _gpu(self, card: Card, parents: dict[str, str | None]) -> Gpu:
        folder = f"{PCI}/{card.address}"
        virtual = [name for name in self._names(folder) if re.fullmatch(r"virtfn\d+", name)]
        functions = [function for name in virtual if (function := self._sysfs.link_name(f"{folder}/{name}"))]
        vfio = [name for name in (card.address, *functions) if self._names(f"{PCI}/{name}/nvidia")]
        return Gpu(
            card=card,
            numa_node=self._text(f"{folder}/numa_node") or "",
            iommu_group=self._sysfs.link_name(f"{folder}/iommu_group"),
            mdev_parents=tuple(name for name, owner in parents.items() if card.address in (name, owner)),
            vfio_functions=tuple(vfio),
            total_vfs=self._number(f"{folder}/sriov_totalvfs"),
            vfs=self._number(f"{folder}/sriov_numvfs") or 0,
        )

    def _taints(self, modules: frozenset[str]) -> dict[str, str]:
        texts = {name: self._text(f"sys/module/{name}/taint") for name in sorted(modules)}
        return {name: text for name, text in texts.items() if text}

    def _processes(self) -> frozenset[str]:
        """What runs, by name; needs the host's pid namespace."""
        pids = (name for name in self._names("proc") if name.isascii() and name.isdecimal())
        return frozenset(self._sysfs.read_or(f"proc/{pid}/comm", "") for pid in pids)

    def _numa_nodes(self) -> tuple[NumaNode, ...]:
        names = [name for name in self._names(NODES) if re.fullmatch(r"node\d+", name)]
        return tuple(NumaNode(name, self._pages(name)) for name in sorted(names, key=lambda name: int(name[4:])))

    def _pages(self, node: str) -> tuple[HugePages, ...]:
        found = []
        for name in self._names(f"{NODES}/{node}/hugepages"):
            if size := re.fullmatch(r"hugepages-(\d+)kB", name):
                folder = f"{NODES}/{node}/hugepages/{name}"
                total, free = (self._number(f"{folder}/{which}_hugepages") for which in ("nr", "free"))
                found.append(HugePages(int(size[1]), total, free))
        return tuple(found)
