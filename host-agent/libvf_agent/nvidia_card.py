"""A card as NVIDIA's driver shows it by its virtual functions, and the types that can be made of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from libvf_agent import nvidia_places as places
from libvf_agent.inventory import SliceType
from libvf_agent.nvidia_types import GIB, VgpuType
from libvf_agent.rules import FUNCTION

BACKEND = "nvidia-vfio"


@dataclass(frozen=True, slots=True)
class Vf:
    """A virtual function: the type it is (0 for none, None where that can not be read), and those it would take.

    `place` is where on the card it lies, in GiB.
    """

    address: str
    type: int | None
    creatable: tuple[VgpuType, ...] = ()
    place: int | None = None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The card's types by number; `whole` where none is missing, so that the largest one is the card."""

    types: dict[int, VgpuType]
    whole: bool

    def vram(self, number: int) -> int:
        """Bytes, 0 where the type is known by its number only: no size is made up."""
        return self.types[number].vram if number in self.types else 0

    @property
    def total(self) -> int:
        """The card's framebuffer in GiB, 0 where it is not known."""
        return max((kind.vram for kind in self.types.values()), default=0) // GIB if self.whole else 0

    @property
    def places(self) -> dict[int, tuple[int, ...]]:
        """Where each size may lie on a card that mixes them; none where the card is not wholly known."""
        sizes = {kind.vram // GIB for kind in self.types.values()} if self.total else set()
        return {size: places.mixed(self.total, size) for size in sizes}


def shows_mixing(known: Known, vfs: tuple[Vf, ...]) -> bool:
    """Whether a function still lists another size while a vGPU exists: only a card that mixes sizes does."""
    sizes = {known.vram(vf.type) for vf in vfs if vf.type}
    others = {kind.vram for vf in vfs for kind in vf.creatable} - sizes
    return bool(sizes and others) and 0 not in sizes


def equal(known: Known, vfs: tuple[Vf, ...]) -> tuple[SliceType, ...]:
    """The types of a card that takes one size at a time."""
    kinds = (_kind(number, known, vfs) for number in _numbers(known, vfs))
    return tuple(replace(kind, limit=min(_limit(kind, known, vfs), _readable(vfs))) for kind in kinds)


def mixed(known: Known, vfs: tuple[Vf, ...]) -> tuple[tuple[SliceType, ...], int, tuple[tuple[str, int], ...]]:
    """The types of a card that mixes sizes, each at its places; how many slots there are; and the card's totals.

    Of a card that is not wholly known nothing new is offered until it is empty.
    """
    ends = places.edges(known.total, known.places) if known.total else (0, 1)
    kinds = (_placed(_kind(number, known, vfs), known, vfs, ends) for number in _numbers(known, vfs))
    return tuple(kinds), len(ends) - 1, (("vgpus", min(_readable(vfs), places.MOST)),)


def type_id(number: int) -> str:
    """The id of a type, as of a mediated one."""
    return f"nvidia-{number}"


def number_of(kind: SliceType) -> str:
    """What is written to make one of this type."""
    return kind.id.removeprefix("nvidia-")


def _numbers(known: Known, vfs: tuple[Vf, ...]) -> list[int]:
    return sorted({*known.types, *(vf.type for vf in vfs if vf.type)})


def _readable(vfs: tuple[Vf, ...]) -> int:
    return sum(1 for vf in vfs if vf.type is not None)


def _kind(number: int, known: Known, vfs: tuple[Vf, ...]) -> SliceType:
    name = known.types[number].name if number in known.types else f"vGPU type {number}"
    room = sum(1 for vf in vfs if any(kind.id == number for kind in vf.creatable))
    return SliceType(type_id(number), name, known.vram(number), available=room, mode=FUNCTION, backend=BACKEND)


def _limit(kind: SliceType, known: Known, vfs: tuple[Vf, ...]) -> int:
    """As many as the driver says, else as NVIDIA's tables do.

    Of a card that is not wholly known: those that exist, and one more where the driver lists one.
    """
    said = known.types.get(int(number_of(kind)))
    if said and said.limit:
        return said.limit
    if kind.vram and known.total:
        return places.equal(known.total, kind.vram // GIB)
    exist = sum(1 for vf in vfs if vf.type and known.vram(vf.type) == kind.vram)
    return exist + int(any(other.vram == kind.vram for vf in vfs for other in vf.creatable))


def _placed(kind: SliceType, known: Known, vfs: tuple[Vf, ...], ends: tuple[int, ...]) -> SliceType:
    """At the places of its size, and wherever one is now; one of unknown size is taken for the whole card."""
    size = kind.vram // GIB if known.total else 0
    here = {vf.place or 0 for vf in vfs if vf.type and type_id(vf.type) == kind.id}
    everywhere = tuple(range(len(ends) - 1))
    at = sorted({*known.places.get(size, ()), *here})
    lie = tuple((place, places.covered(ends, place, size) if size else everywhere) for place in at)
    return replace(kind, limit=len(lie), places=lie, cost=(("vgpus", 1),))
