"""A node's life: random requests and releases, restarts and foreign hands, each judged.

The judge knows what is on every card by the kernel's own word and the vendors' tables; what the scheduler and the
driver do is held against it, and the kernel's state is looked at after every step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

from libvf_agent.claims import ClaimRef
from libvf_agent.errors import AgentError

from tests.integration.judge.pool import Card, Wish, possible
from tests.integration.judge.rules import Piece, fits
from tests.integration.life import wishes
from tests.integration.life.by_hand import ByHand
from tests.integration.life.home import Home
from tests.integration.life.scheduler import Scheduler

_TOLD = 40  # steps that a failure tells


@dataclass(frozen=True, slots=True)
class Held:
    """A request that was met: its claim and Pod, and the names of its devices on the kernel."""

    ref: ClaimRef
    pod: str
    wish: Wish
    devices: frozenset[str]


@dataclass
class Tally:
    """What happened on a node."""

    steps: Counter[str] = field(default_factory=Counter)

    @property
    def operations(self) -> int:
        """Requests and releases: what the run is measured by."""
        return self.steps["allocated"] + self.steps["refused"] + self.steps["released"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a life is played on: the cards, how each is handled by others than the agent, and what a power cut does to
    the kernel, None where there is none."""

    cards: Sequence[Card]
    by_hand: Mapping[str, ByHand]
    reboot: Callable[[], None] | None = None


class Life:
    """One node's sequence."""

    def __init__(self, home: Home, ground: Ground, scheduler: Scheduler, seed: int) -> None:
        self.home = home
        self.tally = Tally()
        self._cards = ground.cards
        self._by_hand = ground.by_hand
        self._reboot = ground.reboot
        self._scheduler = scheduler
        self._seed = seed
        self._random = Random(f"{seed} {home.name}")
        self._held: list[Held] = []
        self._idle: list[tuple[ClaimRef, Wish]] = []
        self._foreign: set[str] = set()
        self._there: dict[str, tuple[str, Piece]] = {}
        self._mood = wishes.Mood()
        self._taken_by_hand = False
        self._told: list[str] = []
        self._number = 0

    async def live(self, operations: int) -> None:
        """So many requests and releases, with the rest between; then everything is given back."""
        await self.home.begin()
        while self.tally.operations < operations:
            await self._step()
        while self._held:
            await self._release()
        while self._foreign:
            await self._removed_by_hand()
        self._check()
        self._expect(self.home.claims() == set(), "the journal still has claims")
        for ref, _ in self._idle:
            await self._scheduler.forget(ref)
        await self.home.end()

    async def _step(self) -> None:
        if self._random.random() < 0.04:
            self._mood = wishes.Mood.any(self._random)
        await self._choice()()
        self._check()

    def _choice(self) -> Callable[[], Awaitable[None]]:
        dice = self._random.random()
        if dice < 0.02:
            return self._restarted
        if dice < 0.03 and self._reboot:
            return self._rebooted
        if self._random.random() < self._mood.hands:
            return self._removed_by_hand if self._foreign and self._random.random() < 0.45 else self._made_by_hand
        return self._request if not self._held or self._random.random() < self._mood.fill else self._release

    async def _request(self) -> None:
        ref, asked = await self._claim()
        expected = possible(self._with_pieces(), asked)
        pod, answer = await self._scheduler.ask(ref, self.home.name, expected, self._taken_by_hand)
        self._taken_by_hand = False
        self._tell(f"request {ref.name}, {asked.spec}: {'placed' if answer.placed else 'refused'}")
        self._expect(answer.placed or not expected, f"refused, although a card takes it: {asked.spec}")
        self._expect(expected or not answer.placed, f"allocated, although no card takes it: {asked.spec}")
        if answer.placed:
            self._held.append(Held(ref, pod, asked, await self._carved(ref, asked)))
            self.tally.steps["allocated"] += 1
        else:
            await self._scheduler.release(ref, pod)
            self.tally.steps["refused"] += 1

    async def _claim(self) -> tuple[ClaimRef, Wish]:
        """A new one, or one that was used before, as of a VM that was stopped."""
        if self._idle and self._random.random() < 0.3:
            return self._idle.pop(self._random.randrange(len(self._idle)))
        self._number += 1
        asked = wishes.wish(self._random, self._mood, self._with_pieces())
        return await self._scheduler.claim(f"{self.home.name}-{self._number}", asked.spec), asked

    async def _carved(self, ref: ClaimRef, asked: Wish) -> frozenset[str]:
        """What the driver made of an allocation: just what was asked for, where the judge has it too."""
        before = self._there
        await self._prepare(ref)
        self._there = self._seen()
        made = {name: place for name, place in self._there.items() if name not in before}
        self._tell(f"  carved {sorted((card, piece.type) for card, piece in made.values())}")
        self._expect(len(made) == asked.count, f"{len(made)} devices were made for {asked.spec}")
        cards = {card.name: card for card in self._cards}
        for name, piece in made.values():
            self._expect(asked.accepts(cards[name], piece.type), f"{piece.type} of {name} is not {asked.spec}")
        self._expect(len({cards[card].numa_node for card, _ in made.values()}) == 1, "devices of two NUMA nodes")
        return frozenset(made)

    async def _prepare(self, ref: ClaimRef) -> None:
        try:
            await self.home.prepare(ref)
        except AgentError as error:
            self._fail(f"the driver refuses what was allocated: {error}")

    async def _release(self) -> None:
        held = self._held.pop(self._random.randrange(len(self._held)))
        self._tell(f"release of {held.ref.name}, {held.wish.spec}")
        await self.home.unprepare(held.ref)
        for name in held.devices:
            del self._there[name]
        if len(self._idle) < 3 and self._random.random() < 0.3:
            await self._scheduler.stop(held.ref, held.pod)
            self._idle.append((held.ref, held.wish))
        else:
            await self._scheduler.release(held.ref, held.pod)
        self.tally.steps["released"] += 1

    async def _made_by_hand(self) -> None:
        """Somebody makes a device where he likes; the driver and the judge agree on whether that goes."""
        card = self._random.choice(self._with_pieces())
        kind = wishes.kind(self._random, self._mood, card)
        hand, kernel = self._by_hand[card.name], self.home.kernel
        parents = list(hand.parents(kernel, card.name, kind))
        self._random.shuffle(parents)
        uuid = str(UUID(int=self._random.getrandbits(128), version=4))
        name = next((made for parent in parents if (made := hand.make(kernel, parent, kind, uuid))), None)
        self._tell(f"by hand: {kind} on {card.name}: {'made' if name else 'refused'}")
        self._expect(not parents or bool(name) == fits(card.rule, card.held, kind), f"the judge is wrong about {kind}")
        if name:
            self._taken_by_hand = True
            self._foreign.add(name)
            self._there[name] = self._seen()[name]
        self.tally.steps["made by hand" if name else "refused by hand"] += 1
        await self.home.publish()

    async def _removed_by_hand(self) -> None:
        name = self._random.choice(sorted(self._foreign))
        self._tell(f"by hand: removal of {self._there[name]}")
        self._by_hand[self._there[name][0]].remove(self.home.kernel, name)
        self._foreign.remove(name)
        del self._there[name]
        self.tally.steps["removed by hand"] += 1
        await self.home.publish()

    async def _restarted(self) -> None:
        self._tell("the agent is started anew")
        self.tally.steps["restarted"] += 1
        await self.home.restart()

    async def _rebooted(self) -> None:
        """Nothing is left but what the claims say; kubelet asks for all of it again, in any order."""
        assert self._reboot is not None
        self._tell("the host is rebooted")
        self._reboot()
        before, self._there = self._there, {}
        self._foreign.clear()
        await self.home.restart()
        for index in self._random.sample(range(len(self._held)), len(self._held)):
            held = self._held[index]
            self._held[index] = again = replace(held, devices=await self._carved(held.ref, held.wish))
            had = Counter(before[name] for name in held.devices)
            has = Counter(self._there[name] for name in again.devices)
            self._expect(had == has, f"{held.ref.name} had {had} before the reboot")
        self.tally.steps["rebooted"] += 1

    def _seen(self) -> dict[str, tuple[str, Piece]]:
        """What the kernel has on these cards."""
        found: dict[str, tuple[str, Piece]] = {}
        for hand in set(self._by_hand.values()):
            there = hand.there(self.home.kernel).items()
            found |= {name: piece for name, piece in there if self._by_hand.get(piece[0]) == hand}
        return found

    def _with_pieces(self) -> list[Card]:
        """The cards with what is on them."""
        there = self._there.values()
        return [replace(card, held=tuple(piece for name, piece in there if name == card.name)) for card in self._cards]

    def _check(self) -> None:
        """The kernel has what it should, and by the rules it may."""
        seen = self._seen()
        self._expect(seen == self._there, f"the kernel has {seen}")
        for card in self._with_pieces():
            self._expect(card.rule.holds(card.held), f"{card.name} holds what its driver would not: {card.held}")

    def _tell(self, what: str) -> None:
        self._told.append(what)

    def _expect(self, holds: bool, complaint: str) -> None:
        if not holds:
            self._fail(complaint)

    def _fail(self, complaint: str) -> None:
        cards = [f"{card.name}: {dict(Counter(piece.type for piece in card.held))}" for card in self._with_pieces()]
        lines = [
            complaint,
            f"node {self.home.name}, repeat with LIBVF_SEED={self._seed}",
            f"on its cards, {len(self._foreign)} of it made by hand:",
            *cards,
            f"the last of {len(self._told)} steps:",
            *self._told[-_TOLD:],
        ]
        raise AssertionError("\n".join(lines))
