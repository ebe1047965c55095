"""What the checks look at, beside what the preparation of a host knows: values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from libvf_agent.cpu_manager import Refusal
from libvf_agent.preparation import facts as host_facts
from libvf_agent.preparation.facts import Card

AMD = 0x1002
CONTROLLERS = "sys/fs/cgroup/cgroup.controllers"
ENABLE_GVT = "sys/module/i915/parameters/enable_gvt"
MAX_VFS = "sys/module/xe/parameters/max_vfs"
SERVED = frozenset({host_facts.INTEL, host_facts.NVIDIA, AMD})


@dataclass(frozen=True, slots=True)
class Gpu:
    """A physical card and what its slices could be made in.

    `numa_node` is the file's text, empty where there is none. `mdev_parents` and `vfio_functions` are the PCI
    addresses that have types, by mdev or by NVIDIA's own VFIO folder. `total_vfs` is None without SR-IOV.
    """

    card: Card
    numa_node: str = ""
    iommu_group: str | None = None
    mdev_parents: tuple[str, ...] = ()
    vfio_functions: tuple[str, ...] = ()
    total_vfs: int | None = None
    vfs: int = 0


@dataclass(frozen=True, slots=True)
class HugePages:
    """Pages of one size on one NUMA node; `size` in KiB, a count is None where it can not be read."""

    size: int
    total: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class NumaNode:
    """A node of the host's memory: "node0"."""

    name: str
    pages: tuple[HugePages, ...]


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What the Node object says of the programs on it: "v1.36.1", "containerd://2.0.4"; empty where it is silent."""

    kubelet: str = ""
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A host as it is seen now.

    `kvm_refusal` is the kernel's word where /dev/kvm does not open. `parameters` holds module parameters by
    their path, `taints` the letters of modules that are not the distribution's. `cells_refused` is why no CPUs of a
    NUMA node can be kept for a claim. `controllers` is None without cgroup v2. `unreadable` are paths that are there
    and may not be read.
    """

    host: host_facts.Facts
    gpus: tuple[Gpu, ...] = ()
    iommus: tuple[str, ...] = ()
    iommu_groups: int = 0
    vfio_core: bool = False
    kvm_refusal: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    taints: Mapping[str, str] = field(default_factory=dict)
    nvidia_version: str = ""
    processes: frozenset[str] = frozenset()
    numa_nodes: tuple[NumaNode, ...] = ()
    cells_refused: Refusal | None = None
    controllers: tuple[str, ...] | None = None
    hook: bool = False
    node: NodeInfo | None = None
    unreadable: tuple[str, ...] = ()

    def has_module(self, name: str) -> bool:
        """Whether the running kernel has it, loaded or built in."""
        return name in self.host.kernel.loaded | self.host.kernel.builtin

    @property
    def numa_is_told_apart(self) -> bool:
        """Whether it matters on which NUMA node something is."""
        return len(self.numa_nodes) > 1
