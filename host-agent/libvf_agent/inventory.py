"""What a host has: the nouns every backend reports in.

Values only: discovery is in the backends, and what is offered of it in `offers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class SliceType:
    """A size a card can be cut into; `cost` is what one instance takes of each of the card's pools.

    `limit` is the most instances a whole card takes where the driver says so, `available` what the kernel
    counts as free now. `vram` is in bytes, 0 where the type has none.
    """

    id: str
    name: str
    vram: int
    cost: tuple[tuple[str, int], ...] = ()
    limit: int | None = None
    available: int = 0
    display: bool = False


@dataclass(frozen=True, slots=True)
class Carving:
    """A mediated device that exists: who it is, where, of what type, and its VFIO group if it has one."""

    uuid: str
    parent: str
    type: str
    iommu_group: int | None = None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card, physical or virtual; `parents` are the folders under mdev_bus that its slices are made in."""

    name: str
    vendor: str
    parents: tuple[str, ...]
    types: tuple[SliceType, ...]
    carvings: tuple[Carving, ...] = ()
    homogeneous: bool = False
    mode: str = "Mediated"
    numa_node: int | None = None
    pcie_root: str | None = None
    pci_address: str | None = None
    pci_id: str | None = None
    """Vendor and device id as lspci prints them, "10de:25b6"."""
    available: dict[str, dict[str, int]] = field(default_factory=dict, hash=False)
    """For each parent, how many of each type id it would still take; VFs differ."""
    totals: tuple[tuple[str, int], ...] = ()
    """The most that was ever seen of each pool: what is free is told in whole types only, which hides the rest."""

    def type(self, type_id: str) -> SliceType | None:
        """The type of that id."""
        return next((kind for kind in self.types if kind.id == type_id), None)


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
