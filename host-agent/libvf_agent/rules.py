"""What may be made of one card: what a GpuPolicy says of it, or the careful defaults where none does. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

MEDIATED, FUNCTION, PASSTHROUGH = "Mediated", "VirtualFunction", "Passthrough"
"""The ways of carving, in the words of GpuPartition's `mode`."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What each virtual function gets: bytes, milliseconds, microseconds; None leaves the driver's own.

    `sizes` are the sizes of video memory that functions are offered in, in bytes; none means equal parts.
    """

    sizes: tuple[int, ...] = ()
    exec_quantum_ms: int | None = None
    preempt_timeout_us: int | None = None
    priority: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be made of a card.

    Without a policy (`policy` is empty) cards are cut by mediated devices, and what the administrator has
    prepared by hand is handed out: virtual functions that exist, functions that sit on vfio-pci. Nothing is
    taken from a driver of the host, and no virtual functions are made. `vram` is the administrator's word for a
    whole card's video memory in bytes, which no file tells of one that no graphics driver holds; `draining` the
    reason why nothing new may come to the card; `parameters` are NVIDIA's `vgpu_params`, "k=v,k=v". `spared` are
    the PCI addresses of the whole host that are never touched.
    """

    policy: str = ""
    modes: frozenset[str] = frozenset({MEDIATED, FUNCTION, PASSTHROUGH})
    types: tuple[str, ...] = ()
    functions: int | None = None
    quota: Quota = Quota()
    vram: int = 0
    heterogeneous: bool | None = None
    parameters: str = ""
    reserved_vram: int = 0
    take_from_host: bool = False
    take_host_display: bool = False
    reuse_without_reset: bool = False
    excluded: bool = False
    draining: str = ""
    spared: frozenset[str] = frozenset()

    def allows(self, mode: str, type_id: str) -> bool:
        """Whether slices of this kind and type may be offered."""
        if self.excluded or mode not in self.modes:
            return False
        return not self.types or any(fnmatchcase(type_id, glob) for glob in self.types)


@dataclass(frozen=True, slots=True)
class CardId:
    """What a policy picks cards by: name (a PCI address, or a virtual card's name), vendor, "10de:25b6", class.

    One that is no GPU (a network card, a disk) is touched only where a policy names it.
    """

    name: str
    vendor: str
    pci_id: str | None = None
    is_gpu: bool = True
    accelerator: bool = False


RulesOf = Callable[[CardId], Rules]


def careful(card: CardId) -> Rules:
    """Without any policy: GPUs, accelerators among them, by the defaults, other PCI functions not at all."""
    return Rules(excluded=not card.is_gpu)
