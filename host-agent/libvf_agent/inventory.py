"""What a host has: the nouns every backend reports in.

Values only: discovery is in the backends, and what is offered of it in `offers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from libvf_api.mac import ZERO
from libvf_api.taints import TaintKey

from libvf_agent.cpus import Cpu
from libvf_agent.rules import MEDIATED, Rules

MIB = 1 << 20

_DISPLAY, _ACCELERATOR, _BRIDGE, _NETWORK = "03", "12", "06", "02"
VENDORS = {"10de": "nvidia", "8086": "intel", "1002": "amd"}


@dataclass(frozen=True, slots=True)
class Sriov:
    """A physical function's virtual ones: the most there can be, how many there are, and where they appear.

    Virtual function k is at the routing id of its physical one plus offset plus k times stride (PCIe 9.3.3).
    """

    total: int
    count: int = 0
    offset: int = 0
    stride: int = 0
    autoprobe: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """A PCI function; `driver` is empty where none holds it, `group` None without an IOMMU.

    `class_code` is six hexadecimal digits ("030000"), `pci_id` as lspci prints it, `reset_methods` empty where
    it cannot be reset alone. `bars` are sizes of memory BARs in bytes. `mac` is the address that a virtual function of
    a network card has through its physical one.
    """

    address: str
    class_code: str
    pci_id: str
    driver: str = ""
    override: str = ""
    group: int | None = None
    boot_vga: bool = False
    reset_methods: tuple[str, ...] = ()
    bars: tuple[int, ...] = ()
    sriov: Sriov | None = None
    mac: str = ZERO

    @property
    def vendor(self) -> str:
        """ "nvidia", "intel", "amd", or the PCI vendor id."""
        vendor = self.pci_id.partition(":")[0]
        return VENDORS.get(vendor, vendor)

    @property
    def is_card(self) -> bool:
        """Whether it is a display device or a processing accelerator."""
        return self.class_code[:2] in (_DISPLAY, _ACCELERATOR)

    @property
    def is_accelerator(self) -> bool:
        """Whether it computes and has no screen, by its class."""
        return self.class_code[:2] == _ACCELERATOR

    @property
    def is_network(self) -> bool:
        """Whether it is a network card."""
        return self.class_code[:2] == _NETWORK

    @property
    def is_bridge(self) -> bool:
        """Whether it only leads to others: an IOMMU group is not held up by it."""
        return self.class_code[:2] == _BRIDGE

    @property
    def on_vfio(self) -> bool:
        """Whether a VFIO driver holds it: vfio-pci, or a vendor's variant of it."""
        return "vfio" in self.driver

    @property
    def is_idle(self) -> bool:
        """Whether no driver of the host works with it."""
        return not self.driver or self.on_vfio


@dataclass(frozen=True, slots=True)
class Taint:
    """Why no further claim should get a device, as a DeviceTaint; `message` says what and the cure, of this card."""

    key: TaintKey
    message: str


@dataclass(frozen=True, slots=True)
class SliceType:
    """A size a card can be cut into; `cost` is what one instance takes of each of the card's pools.

    `limit` is the most instances a whole card takes where the driver says so, `available` what the kernel
    counts as free now. `vram` is in bytes, 0 where it is not known. `backend` carves it. A `whole` card takes
    all there is, whatever the pools are. `places` are where on the card an instance may lie, each with the
    slots it covers there, for drivers that mix sizes by place. A `closed` type is there for what exists of it
    already: nothing new is offered in it.
    """

    id: str
    name: str
    vram: int
    cost: tuple[tuple[str, int], ...] = ()
    limit: int | None = None
    available: int = 0
    display: bool = False
    mode: str = MEDIATED
    backend: str = "mediated"
    whole: bool = False
    places: tuple[tuple[int, tuple[int, ...]], ...] = ()
    taints: tuple[Taint, ...] = ()
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Carving:
    """A slice that exists: a mediated device by its UUID, a function by its PCI address; where, of what type.

    `in_use` is false for what is only ready to be used, such as a virtual function on vfio-pci that nobody has
    open: it counts as taken only where the journal has it. `place` is where on the card it lies, where the
    driver says so.
    """

    id: str
    parent: str
    type: str
    iommu_group: int | None = None
    in_use: bool = True
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card, physical or virtual; `parents` are where its slices are made: folders under mdev_bus, or VFs."""

    name: str
    vendor: str
    parents: tuple[str, ...]
    types: tuple[SliceType, ...]
    carvings: tuple[Carving, ...] = ()
    homogeneous: bool = False
    numa_node: int | None = None
    pcie_root: str | None = None
    pci_address: str | None = None
    pci_id: str | None = None
    """Vendor and device id as lspci prints them, "10de:25b6"."""
    available: dict[str, dict[str, int]] = field(default_factory=dict, hash=False)
    """For each parent, how many of each type id it would still take; VFs differ."""
    totals: tuple[tuple[str, int], ...] = ()
    """The size of each pool, where known; else the most that was ever seen, as what is free is told in whole types."""
    taints: tuple[Taint, ...] = ()
    slots: int = 0
    """How many slots there are for types that have `places`."""
    functions: tuple[Function, ...] = ()
    """The PCI functions that plans may move to VFIO: the card's own, its companions, its virtual ones."""
    rules: Rules = field(default_factory=Rules)
    kind: str = "gpu"
    """What its devices are offered as, and so which requests they can meet: "gpu", or "nic" for a network card."""
    link: str | None = None
    """The name of a network card's own link in the host's network."""

    def function(self, address: str) -> Function | None:
        """The function of that address."""
        return next((one for one in self.functions if one.address == address), None)

    def type(self, type_id: str) -> SliceType | None:
        """The type of that id."""
        return next((kind for kind in self.types if kind.id == type_id), None)


@dataclass(frozen=True, slots=True)
class NumaNode:
    """A NUMA node: its CPUs, those of them that are the host's, bytes of memory, and huge pages by size in KiB."""

    number: int
    cpus: tuple[Cpu, ...]
    reserved: frozenset[int] = frozenset()
    memory: int = 0
    pages: dict[int, int] = field(default_factory=dict, hash=False)

    @property
    def offered(self) -> tuple[Cpu, ...]:
        """The CPUs that cells may have."""
        return tuple(cpu for cpu in self.cpus if cpu.number not in self.reserved)

    def bytes_of(self, size: int) -> int:
        """The memory in huge pages of this size."""
        return (self.pages.get(size, 0) * size) << 10


@dataclass(frozen=True, slots=True)
class Offer:
    """One device of a ResourceSlice, and how to make it: the type and the place it counts as."""

    name: str
    type: SliceType
    consumes: tuple[tuple[str, int], ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Offers:
    """All one card offers: counters (name -> capacity left to us), and devices, smallest first."""

    gpu: Gpu
    counters: tuple[tuple[str, int], ...]
    devices: tuple[Offer, ...]
