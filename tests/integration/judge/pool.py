"""Over the cards of one node: whether what is asked for can be had at all. By trying everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from tests.integration.judge.rules import Piece, Rule, additions

MEDIATED = "Mediated"


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it is: what it is by its vendor's word, and what is on it, whoever made that.

    `modes` are how its types are made, in a GpuPartition's words, where that is not by mediated devices.
    """

    name: str
    rule: Rule
    vendor: str
    device: str | None = None
    numa_node: int | None = None
    modes: Mapping[str, str] = field(default_factory=dict)
    held: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a GpuPartition asks for; memory in MiB. A bound of memory is never met by what has none."""

    type: str | None = None
    least: int | None = None
    most: int | None = None
    vendor: str | None = None
    mode: str | None = None
    device: str | None = None
    count: int = 1

    @property
    def spec(self) -> dict[str, Any]:
        """As the fields of a GpuPartition."""
        bounds = {"min": self.least, "max": self.most}
        plain = {"type": self.type, "vendor": self.vendor, "mode": self.mode, "device": self.device}
        spec: dict[str, Any] = {key: value for key, value in plain.items() if value is not None}
        if vram := {key: f"{size}Mi" for key, size in bounds.items() if size is not None}:
            spec["vram"] = vram
        return {**spec, "count": self.count}

    def accepts(self, card: Card, kind: str) -> bool:
        """Whether a device of that type on that card is what was asked for."""
        memory, mode = card.rule.types[kind], card.modes.get(kind, MEDIATED)
        told = ((self.vendor, card.vendor), (self.mode, mode), (self.device, card.device))
        return (
            fnmatchcase(kind, self.type or "*")
            and all(asked in (None, is_so) for asked, is_so in told)
            and (self.least is None or memory >= self.least)
            and (self.most is None or 0 < memory <= self.most)
        )


def possible(cards: Sequence[Card], wish: Wish) -> bool:
    """Whether these cards could give all that is asked for; several come from one NUMA node, or from cards that
    know none."""
    nodes = {card.numa_node for card in cards}
    groups = [[card for card in cards if card.numa_node == node] for node in nodes]
    return any(_all(group, wish, wish.count) for group in groups)


def _all(cards: list[Card], wish: Wish, count: int) -> bool:
    return count == 0 or any(_all(rest, wish, count - 1) for rest in _after_one(cards, wish))


def _after_one(cards: list[Card], wish: Wish) -> Iterator[list[Card]]:
    """The cards after each way of giving one device."""
    for index, card in enumerate(cards):
        for kind in card.rule.types:
            if wish.accepts(card, kind):
                for piece in additions(card.rule, card.held, kind):
                    yield [*cards[:index], replace(card, held=(*card.held, piece)), *cards[index + 1 :]]
