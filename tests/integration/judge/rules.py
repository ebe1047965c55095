"""What a card takes, by the rule of its driver.

Brute force on purpose, and nothing of the agent is imported: this is what the agent's encoding is judged by. A rule
says which devices may be on a card together; whether one more fits is found by trying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Piece:
    """A device on a card: its type as the driver calls it, and the place it lies at where the driver gives places."""

    type: str
    place: int | None = None


class Rule(Protocol):
    """One kind of card. `types` gives every type's video memory in MiB, 0 where it has none."""

    @property
    def types(self) -> Mapping[str, int]: ...

    def pieces(self, kind: str) -> Sequence[Piece]:
        """Every way in which a device of that type could lie on an empty card."""

    def holds(self, pieces: Sequence[Piece]) -> bool:
        """Whether the driver has all of these on one card at once."""


def additions(rule: Rule, held: Sequence[Piece], wanted: str) -> list[Piece]:
    """Every way in which the driver takes one more device of a type."""
    return [piece for piece in rule.pieces(wanted) if rule.holds([*held, piece])]


def fits(rule: Rule, held: Sequence[Piece], wanted: str) -> bool:
    """Whether the driver takes one more device of a type."""
    return bool(additions(rule, held, wanted))


@dataclass(frozen=True, slots=True)
class Size:
    """A row of a vendor's table: video memory in MiB, and the most instances on a whole card."""

    memory: int
    most: int


@dataclass(frozen=True, slots=True)
class OneSize:
    """NVIDIA's equal-size mode: all vGPUs of a card have one framebuffer size, of whatever series.

    Where the parents are virtual functions each of them carries one vGPU; 0 stands for a physical parent.
    """

    table: Mapping[str, Size]
    functions: int = 0

    @property
    def types(self) -> Mapping[str, int]:
        return {kind: size.memory for kind, size in self.table.items()}

    def pieces(self, kind: str) -> Sequence[Piece]:
        return [Piece(kind)]

    def holds(self, pieces: Sequence[Piece]) -> bool:
        sizes = [self.table[piece.type] for piece in pieces]
        if len({size.memory for size in sizes}) > 1 or (self.functions and len(pieces) > self.functions):
            return False
        return all(len(pieces) <= size.most for size in sizes)


@dataclass(frozen=True, slots=True)
class Pools:
    """Every device takes its share of each pool of the card: GVT-g, the kernel's samples, SR-IOV, xe's quotas."""

    table: Mapping[str, Mapping[str, int]]
    card: Mapping[str, int]
    memory: Mapping[str, int] = field(default_factory=dict)

    @property
    def types(self) -> Mapping[str, int]:
        return {kind: self.memory.get(kind, 0) for kind in self.table}

    def pieces(self, kind: str) -> Sequence[Piece]:
        return [Piece(kind)]

    def holds(self, pieces: Sequence[Piece]) -> bool:
        taken: Counter[str] = Counter()
        for piece in pieces:
            taken.update(self.table[piece.type])
        return all(taken[pool] <= size for pool, size in self.card.items())


@dataclass(frozen=True, slots=True)
class Spots:
    """A row of a table of placements: video memory in MiB, how many slots one takes, and where it may begin."""

    memory: int
    slots: int
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Placements:
    """NVIDIA's mixed-size mode: a vGPU begins at one of its size's placement ids, and no two overlap."""

    table: Mapping[str, Spots]
    functions: int = 0

    @property
    def types(self) -> Mapping[str, int]:
        return {kind: spots.memory for kind, spots in self.table.items()}

    def pieces(self, kind: str) -> Sequence[Piece]:
        return [Piece(kind, start) for start in self.table[kind].starts]

    def holds(self, pieces: Sequence[Piece]) -> bool:
        if self.functions and len(pieces) > self.functions:
            return False
        if any(piece not in self.pieces(piece.type) for piece in pieces):
            return False
        taken = [slot for piece in pieces for slot in self._slots(piece)]
        return len(taken) == len(set(taken))

    def _slots(self, piece: Piece) -> range:
        assert piece.place is not None
        return range(piece.place, piece.place + self.table[piece.type].slots)
