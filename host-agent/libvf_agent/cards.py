"""One card, and all the ways in which it can be carved: what each backend found of it, put together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from libvf_agent.backends import Backend
from libvf_agent.inventory import Carving, Gpu, SliceType
from libvf_agent.offers import type_of_device
from libvf_agent.steps import Plan


@dataclass(frozen=True, slots=True)
class Part:
    """A card as one backend sees it."""

    backend: Backend
    gpu: Gpu


@dataclass(frozen=True, slots=True)
class Card:
    """A card with its parts, and all of them as one for what is offered."""

    parts: tuple[Part, ...]

    @property
    def gpu(self) -> Gpu:
        """The parts as one: a card that can be cut and can be handed out whole is one pool."""
        first, *others = (part.gpu for part in self.parts)
        for other in others:
            first = replace(
                first,
                types=first.types + other.types,
                carvings=first.carvings + other.carvings,
                homogeneous=first.homogeneous or other.homogeneous,
                available={**first.available, **other.available},
                totals=first.totals + other.totals,
                taints=first.taints + other.taints,
                slots=max(first.slots, other.slots),
            )
        return first

    def part(self, device: str) -> tuple[Part, SliceType] | None:
        """The part and the type that a device's name stands for."""
        for part in self.parts:
            kind = type_of_device(part.gpu, device)
            if kind:
                return part, kind
        return None

    def after(self, part: Part, plan: Plan) -> Card:
        """The card once the plan is carried out: a virtual function takes one device and no more."""
        gpu = part.gpu
        room = dict(gpu.available.get(plan.parent, {}))
        room[plan.type] = room.get(plan.type, 1) - 1
        available = {**gpu.available, plan.parent: {} if len(gpu.parents) > 1 else room}
        carving = Carving(plan.id, plan.parent, plan.type)
        changed = replace(part, gpu=replace(gpu, available=available, carvings=(*gpu.carvings, carving)))
        return Card(tuple(changed if one is part else one for one in self.parts))


def cards_of(parts: Iterable[Part]) -> tuple[Card, ...]:
    """The cards by name, in the order of names."""
    by_name: dict[str, list[Part]] = {}
    for part in parts:
        by_name.setdefault(part.gpu.name, []).append(part)
    return tuple(Card(tuple(found)) for _, found in sorted(by_name.items()))
