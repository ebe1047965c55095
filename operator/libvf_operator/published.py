"""What all agents publish at one moment, as it is explained from. Pure.

A data centre publishes some hundred thousand devices of a few dozen kinds, and many machines may wait at once: so
devices are read once for all of them, and judged by their kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from libvf_api import offers as documents
from libvf_api.offers import Offer, Place

from libvf_operator.objects import Object

Held = Mapping[Place, str]
"""Which claim, as namespace/name, has each device."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Devices that no request can tell apart; `offer` is the first of them."""

    offer: Offer
    places: list[Place]


class Published:
    """The slices, and what was said from them: the same question gets the same answer until they are read again."""

    def __init__(self, slices: list[Object]) -> None:
        self.slices = slices
        self._said: dict[str, str] = {}

    @cached_property
    def kinds(self) -> list[Kind]:
        """GPU slices by kind, as they come."""
        found: dict[tuple[object, ...], Kind] = {}
        for piece, device in documents.devices(self.slices):
            if documents.text(device, "kind") != "gpu":
                continue
            told = documents.judged_by(device)
            kind = found.get(told)
            if kind is None:
                kind = found[told] = Kind(documents.offer(piece, device), [])
            kind.places.append((piece["spec"]["pool"]["name"], device["name"]))
        return list(found.values())

    @cached_property
    def offers(self) -> list[Offer]:
        """GPU slices one by one, with what each takes of its card."""
        return documents.offers(self.slices)

    def once(self, question: str, answer: Callable[[], str]) -> str:
        """What was answered before, else what is answered now."""
        if question not in self._said:
            self._said[question] = answer()
        return self._said[question]
