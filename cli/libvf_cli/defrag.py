"""What could run if some claims had other slices: the fewest moves that make room for a request. Pure.

It is planned over what agents publish and what is allocated, so it knows cards and nothing of CPUs, memory or where a
Pod may go. A search with a growing number of moves: the request is put somewhere, who is in its way has to go somewhere
else, and so on. Whoever must be moved in the best plan draws on a counter that is overdrawn, so no more are tried.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from libvf_api.offers import Counts, Offer, Place, left, offers, unfit

from libvf_cli.kubectl import Json

MOST = 3
_TRIES = 100_000  # placements, after which a search says that it was not finished


@dataclass(frozen=True, slots=True)
class Held:
    """A slice that a claim has; `spec` is what the claim asks for, None where it stays where it is."""

    claim: str
    device: str
    spec: Json | None


@dataclass(frozen=True, slots=True)
class Move:
    """A claim that gets another slice."""

    claim: str
    source: Offer
    target: Offer


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the request would run, after these moves."""

    target: Offer
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """`plan` is None where no so few moves make room; `finished` is false where that was not tried to the end."""

    plan: Plan | None
    finished: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A card: what it offers, who is on it, and what is left of its counters."""

    offered: tuple[Offer, ...]
    left: Counts
    held: Mapping[str, Held] = field(default_factory=dict)  # by device
    placed: frozenset[str] = frozenset()  # devices that the plan has given already

    @property
    def overdrawn(self) -> frozenset[tuple[str, str, str]]:
        """The counters of which more is taken than there is."""
        return frozenset(counter for counter, amount in self.left.items() if amount < 0)

    def offer(self, device: str) -> Offer:
        """The device of that name."""
        return next(one for one in self.offered if one.name == device)

    def with_(self, offer: Offer) -> Pool:
        """The card with one more device given, whether it has room or not."""
        remaining = Counter(self.left)
        remaining.subtract(offer.takes)
        return replace(self, left=remaining, placed=self.placed | {offer.name})

    def without(self, held: Held) -> Pool:
        """The card after a claim has left it."""
        remaining = Counter(self.left)
        remaining.update(self.offer(held.device).takes)
        return replace(self, left=remaining, held={d: one for d, one in self.held.items() if d != held.device})

    def in_the_way(self) -> list[Held]:
        """Whom it would help to move; whoever has a device that is given to another is the only one."""
        if twice := [self.held[device] for device in sorted(self.placed & self.held.keys())]:
            return twice[:1]
        overdrawn = self.overdrawn
        return [one for one in self.held.values() if overdrawn & self.offer(one.device).takes.keys()]

    @property
    def is_possible(self) -> bool:
        """Whether the driver would have it so."""
        return not self.overdrawn and not self.placed & self.held.keys()


def pools(slices: list[Json], claims: list[Json], specs: Mapping[str, Json]) -> dict[str, Pool]:
    """All cards; `specs` are those of the partitions, by namespace/name, as are the claims.

    A claim without a partition wants what it has. One with several slices stays, as they may have to be together.
    """
    offered = offers(slices)
    by_place = {offer.place: offer for offer in offered}
    held = _held(claims, by_place, specs)
    remaining = left(slices, offered, {place: one.claim for place, one in held.items()})
    found, counters, holders = defaultdict[str, list[Offer]](list), defaultdict[str, Counts](Counter), _by_pool(held)
    for offer in offered:
        found[offer.pool].append(offer)
    for counter, amount in remaining.items():
        counters[counter[0]][counter] = amount
    return {pool: Pool(tuple(here), counters[pool], holders.get(pool, {})) for pool, here in found.items()}


def room(spec: Json, cards: Mapping[str, Pool], most: int) -> Found:
    """The plan with the fewest moves, at most so many."""
    search = _Search(cards)
    for moves in range(most + 1):
        if plan := search.plan(spec, moves):
            return Found(plan)
        if search.tries > _TRIES:
            return Found(None, False)
    return Found(None)


@dataclass(frozen=True, slots=True)
class _Item:
    """What needs a place: the request itself, or a claim that has to leave its slice."""

    spec: Json
    claim: str = ""
    source: Offer | None = None


class _Search:
    """Depth first; `tries` counts the placements."""

    def __init__(self, cards: Mapping[str, Pool]) -> None:
        self._cards = cards
        self._alike = _alike(cards)
        self.tries = 0

    def plan(self, spec: Json, moves: int) -> Plan | None:
        """One with so many moves."""
        found = self._place(_Item(spec), (), {}, moves)
        if found is None:
            return None
        (_, target), *others = found
        return Plan(target, tuple(Move(item.claim, item.source, to) for item, to in others if item.source))

    def _place(
        self, item: _Item, waiting: tuple[_Item, ...], changed: Mapping[str, Pool], moves: int
    ) -> list[tuple[_Item, Offer]] | None:
        for name in self._candidates(changed):
            pool = changed.get(name) or self._cards[name]
            for offer in _ways(pool, item):
                self.tries += 1
                if self.tries > _TRIES:
                    return None
                rest = self._cleared(name, pool.with_(offer), waiting, changed, moves)
                if rest is not None:
                    return [(item, offer), *rest]
        return None

    def _cleared(
        self, name: str, pool: Pool, waiting: tuple[_Item, ...], changed: Mapping[str, Pool], moves: int
    ) -> list[tuple[_Item, Offer]] | None:
        """The places of all that wait, after enough has left this card."""
        if pool.is_possible:
            if not waiting:
                return []
            return self._place(waiting[0], waiting[1:], {**changed, name: pool}, moves)
        for held in pool.in_the_way() if moves else ():
            if held.spec is not None:
                item = _Item(held.spec, held.claim, pool.offer(held.device))
                found = self._cleared(name, pool.without(held), (*waiting, item), changed, moves - 1)
                if found is not None:
                    return found
        return None

    def _candidates(self, changed: Mapping[str, Pool]) -> Iterator[str]:
        """Cards that the plan has touched, and of those that are alike one that it has not."""
        yield from changed
        for names in self._alike:
            untouched = next((name for name in names if name not in changed), None)
            if untouched is not None:
                yield untouched


def _ways(pool: Pool, item: _Item) -> list[Offer]:
    """The devices of a card that could be given, those that are free now first; of equal ones one."""
    free: dict[object, Offer] = {}
    taken: dict[object, Offer] = {}
    for offer in pool.offered:
        if offer.name in pool.placed or (item.source and offer.place == item.source.place) or unfit(item.spec, offer):
            continue
        after = pool.with_(offer)
        held = frozenset(one.device for one in after.in_the_way())
        (free if after.is_possible else taken).setdefault((offer.type, held, _still(after)), offer)
    return [*free.values(), *taken.values()]


def _still(pool: Pool) -> tuple[tuple[str, int], ...]:
    """How many devices of each type could be given beside: what tells one place on a card from another."""
    free = (one for one in pool.offered if one.name not in pool.placed and one.name not in pool.held)
    fitting = Counter(one.type for one in free if all(pool.left[counter] >= n for counter, n in one.takes.items()))
    return tuple(sorted(fitting.items()))


def _alike(cards: Mapping[str, Pool]) -> list[list[str]]:
    """Cards that offer the same and are cut the same, by claims that ask for the same."""
    groups: dict[str, list[str]] = {}
    for name, pool in cards.items():
        offered = [
            (replace(one, pool="", node="", parent=""), sorted((k[1:], n) for k, n in one.takes.items()))
            for one in pool.offered
        ]
        held = [(device, one.spec) for device, one in sorted(pool.held.items())]
        amounts = sorted((counter[1:], amount) for counter, amount in pool.left.items())
        groups.setdefault(json.dumps([repr(offered), held, amounts], sort_keys=True), []).append(name)
    return list(groups.values())


def _by_pool(held: Mapping[Place, Held]) -> dict[str, dict[str, Held]]:
    found: dict[str, dict[str, Held]] = {}
    for (pool, device), one in held.items():
        found.setdefault(pool, {})[device] = one
    return found


def _held(claims: Sequence[Json], offered: Mapping[Place, Offer], specs: Mapping[str, Json]) -> dict[Place, Held]:
    found = {}
    for claim in claims:
        allocation = (claim.get("status") or {}).get("allocation") or {}
        results = (allocation.get("devices") or {}).get("results") or []
        places = [(one["pool"], one["device"]) for one in results if (one["pool"], one["device"]) in offered]
        name = "/".join((claim["metadata"]["namespace"], claim["metadata"]["name"]))
        for place in places:
            spec = specs.get(name, {"type": offered[place].type}) if len(places) == 1 else None
            found[place] = Held(name, place[1], spec)
    return found
