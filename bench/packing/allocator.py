"""A model of what kube-scheduler does with our slices and claims, to try many orders quickly.

It is held to the real one by a test: on the same traces every choice of the real scheduler is one of those that the
model allows, and it refuses just what the model refuses. What is modelled is read in the scheduler's source (1.37): on
every node the first alternative that can be had, its first device in the order of pools and devices; between nodes the
place of that alternative, Pods of the same label, and how much CPU and memory is free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from libvf_agent.inventory import Carving, Offer
from libvf_agent.offers import offers_of
from libvf_agent.slices import pool_name

from bench.packing import ask
from bench.packing.ask import Alternative, Ask
from bench.packing.cards import Fleet, card, gpu

# of the scheduler's plugins DynamicResources and InterPodAffinity; that of NodeResourcesFit is 1
_PLACE_WEIGHT = _ALIKE_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class Given:
    """A device of a host's pool."""

    host: int
    pool: str
    device: str


@dataclass
class _Card:
    """A card: what is allocated of it, and the devices that are open by the agent's last word."""

    kind: str
    pool: str
    held: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()


@dataclass
class _Host:
    """Cards in the order of their pools' names, which is the allocator's; and the Pods that are there."""

    cards: list[_Card]
    pods: list[Ask] = field(default_factory=list)

    def milli_cpus(self) -> int:
        return sum(ask.milli_cpus(pod.gigabytes) for pod in self.pods)


class Model:
    """The hosts of a fleet as the scheduler sees them."""

    def __init__(self, fleet: Fleet) -> None:
        self._hosts = [_Host(_cards(number, kinds)) for number, kinds in enumerate(fleet.hosts)]

    def choices(self, wanted: Ask) -> list[Given]:
        """What the scheduler may take: one device of each host that scores best; none where it refuses."""
        found = [
            (first, given)
            for number, host in enumerate(self._hosts)
            if (first := _first(host, wanted.alternatives)) and (given := Given(number, first.pool, first.device))
        ]
        if not found:
            return []
        places = _scaled([first.place for first, _ in found])
        alike = _between([self._alike(given.host, wanted) for _, given in found])
        scores = [
            _PLACE_WEIGHT * place + _ALIKE_WEIGHT * like + self._free(given.host, wanted)
            for place, like, (_, given) in zip(places, alike, found, strict=True)
        ]
        return [given for score, (_, given) in zip(scores, found, strict=True) if score == max(scores)]

    def take(self, given: Given, wanted: Ask) -> None:
        """It is allocated; what is open changes when it is carved."""
        self._card(given).held |= {given.device}
        self._hosts[given.host].pods.append(wanted)

    def release(self, given: Given, wanted: Ask) -> None:
        """It is given back."""
        self._card(given).held -= {given.device}
        self._hosts[given.host].pods.remove(wanted)

    def publish(self) -> None:
        """The agents say what is open by now."""
        for host in self._hosts:
            for one in host.cards:
                one.open = _open(one.kind, one.held)

    def size(self, given: Given) -> int:
        """Of a device, in GiB."""
        return _offers(self._card(given).kind)[given.device].type.vram >> 30

    def _card(self, given: Given) -> _Card:
        return next(one for one in self._hosts[given.host].cards if one.pool == given.pool)

    def _alike(self, host: int, wanted: Ask) -> int:
        return sum(bool(wanted.label) and pod.label == wanted.label for pod in self._hosts[host].pods)

    def _free(self, host: int, wanted: Ask) -> int:
        """LeastAllocated; memory is asked for in proportion, so it says the same."""
        used = self._hosts[host].milli_cpus() + ask.milli_cpus(wanted.gigabytes)
        return (1000 * ask.CPUS - used) * 100 // (1000 * ask.CPUS)


@dataclass(frozen=True, slots=True)
class _First:
    place: int
    pool: str
    device: str


def _first(host: _Host, wanted: Sequence[Alternative]) -> _First | None:
    for one in wanted:
        for on in host.cards:
            if name := _device(on, one):
                return _First(one.place, on.pool, name)
    return None


def _device(on: _Card, wanted: Alternative) -> str | None:
    room = _room(on.kind, on.held)
    for name, offer in _offers(on.kind).items():
        if (
            name not in on.held
            and wanted.accepts(offer.type.vram, name in on.open)
            and all(room[counter] >= amount for counter, amount in offer.consumes)
        ):
            return name
    return None


def _scaled(scores: list[int]) -> list[int]:
    return [100 * score // max(scores) for score in scores]


def _between(scores: list[int]) -> list[int]:
    low, high = min(scores), max(scores)
    return [100 * (score - low) // (high - low) if high > low else 0 for score in scores]


def _cards(host: int, kinds: tuple[str, ...]) -> list[_Card]:
    named = [_Card(kind, pool_name(f"n{host}", card(kind, number + 1).name)) for number, kind in enumerate(kinds)]
    return sorted(named, key=lambda one: one.pool)


@cache
def _offers(kind: str) -> Mapping[str, Offer]:
    return {offer.name: offer for offer in offers_of(gpu(kind), {}).devices}


@cache
def _room(kind: str, held: frozenset[str]) -> Mapping[str, int]:
    left = dict(offers_of(gpu(kind), {}).counters)
    for name in held:
        for counter, amount in _offers(kind)[name].consumes:
            left[counter] -= amount
    return left


@cache
def _open(kind: str, held: frozenset[str]) -> frozenset[str]:
    """The devices that are open beside these, by the agent's own planner."""
    empty, offers = gpu(kind), _offers(kind)
    carvings = tuple(Carving(name, empty.parents[0], offers[name].type.id) for name in sorted(held))
    left = sum(amount for _, amount in empty.totals) - sum(offers[name].type.vram for name in held)
    # as the kernel counts what is free of a pool; of a card of one size at a time that is not asked
    types = tuple(replace(one, available=left // one.vram) for one in empty.types)
    told = offers_of(replace(empty, carvings=carvings, types=types), {name: name for name in held})
    return frozenset(offer.name for offer in told.devices if offer.open)
