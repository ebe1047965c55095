"""What somebody might ask of a node, at random: exact types, globs, ranges of memory, vendors, several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.integration.judge.pool import MEDIATED, Card, Wish

_COUNTS = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3)
_STRANGERS = ("nvidia-9999", "i915-GVTg_V9_8", "mdpy-8k", "amd-*")
# in MiB, with bounds between sizes and at them
_BOUNDS = (2, 4, 8, 15, 16, 64, 384, 512, 1000, 1024, 2048, 3000, 4096, 6144, 8192, 16384, 24576, 49152)


@dataclass(frozen=True, slots=True)
class Mood:
    """What is likely for a while: `fill` a request and not a release, `hands` that somebody else makes or removes
    devices, `more` that a type is wanted that the card has already, so that cards fill up to the last place."""

    fill: float = 0.75
    hands: float = 0.1
    more: float = 0.5

    @classmethod
    def any(cls, random: Random) -> Mood:
        """Another one: every degree of fullness is to be seen, with and without other hands."""
        return cls(random.choice((0.3, 0.5, 0.75, 0.95)), random.choice((0.02, 0.1, 0.3)), random.choice((0, 0.5, 0.9)))


def kind(random: Random, mood: Mood, card: Card) -> str:
    """A type of the card."""
    there = [piece.type for piece in card.held]
    return random.choice(there if there and random.random() < mood.more else list(card.rule.types))


def wish(random: Random, mood: Mood, cards: Sequence[Card]) -> Wish:
    """Mostly what some card of these could give."""
    count = random.choice(_COUNTS)
    card = random.choice(cards)
    shape = random.random()
    if shape < 0.5:
        return Wish(type=kind(random, mood, card), count=count)
    if shape < 0.8:
        return _range(random, count)
    if shape < 0.9:
        return Wish(type=f"{random.choice(list(card.rule.types)).partition('-')[0]}-*", count=count)
    if shape < 0.97:
        mode = random.choice([*card.modes.values(), MEDIATED])
        device = card.device or "1002:0001"
        wanted = random.choice([Wish(vendor=card.vendor), Wish(mode=mode), Wish(device=device)])
        return replace(wanted, count=count)
    return Wish(type=random.choice(_STRANGERS), count=count)


def _range(random: Random, count: int) -> Wish:
    least, most = sorted(random.sample(_BOUNDS, 2))
    return random.choice(
        [Wish(least=least, count=count), Wish(most=most, count=count), Wish(least=least, most=most, count=count)]
    )
