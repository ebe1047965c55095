"""Policies, which of them holds on a card, and what then may be made of it. Pure.

On each card one policy holds as a whole: nobody has to think how parts of several would mix. Their order is total:
the higher priority, then the cards named more closely, then the older, then the name. Addresses that any policy of
the node excludes are never touched, whatever the others say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from libvf_agent.rules import CardId, Rules, careful

HIGHEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Expression:
    """One of a label selector's matchExpressions; `operator` is Kubernetes' word."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """As Kubernetes has it: NotIn and DoesNotExist also hold where the label is missing."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case _:
                return self.key not in labels


class Closeness(IntEnum):
    """How closely a policy names its cards; `UNREAD` is one whose words are not understood, and ranks first."""

    ANY = 0
    CLASS = 1
    VENDOR = 2
    DEVICE = 3
    ADDRESS = 4
    UNREAD = 5


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards of a policy: all that is given must match; `kind` is Display or Accelerator.

    `unread` is a selector with words that are not understood: it may mean fewer cards than it matches, and names
    them as closely as can be.
    """

    vendor: str = ""
    devices: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    kind: str = ""
    unread: bool = False

    @property
    def closeness(self) -> Closeness:
        """The narrowest of what is given."""
        given = (
            (self.unread, Closeness.UNREAD),
            (self.addresses, Closeness.ADDRESS),
            (self.devices, Closeness.DEVICE),
            (self.vendor, Closeness.VENDOR),
            (self.kind, Closeness.CLASS),
        )
        return next((close for word, close in given if word), Closeness.ANY)

    def matches(self, card: CardId) -> bool:
        """Whether it is one of them; what is no GPU only where it is named."""
        if not card.is_gpu and not (self.addresses or self.devices or self.unread):
            return False
        kind = "" if not card.is_gpu else "Accelerator" if card.accelerator else "Display"
        return (
            (not self.vendor or card.vendor == self.vendor)
            and (not self.devices or card.pci_id in self.devices)
            and (not self.addresses or card.name in self.addresses)
            and (not self.kind or kind == self.kind)
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """A GpuPolicy; `created` is RFC 3339, `fault` why it is not understood, empty where it is."""

    name: str
    uid: str = ""
    generation: int = 0
    created: str = ""
    priority: int = 0
    nodes: tuple[Expression, ...] = ()
    cards: Cards = Cards()
    exclude: frozenset[str] = frozenset()
    rules: Rules = field(default_factory=Rules)
    fault: str = ""

    @property
    def rank(self) -> tuple[int, int]:
        """Two of the same rank that say different things are in conflict."""
        return (self.priority, self.cards.closeness)

    @property
    def order(self) -> tuple[int, int, str, str]:
        """The first in this order holds; no two are equal, as names are unique."""
        return (-self.priority, -self.cards.closeness, self.created, self.name)

    def beats(self, other: Policy) -> str:
        """By what it comes before the other one."""
        if self.priority != other.priority:
            return "by priority"
        if self.cards.closeness != other.cards.closeness:
            return "as it names the card more closely"
        return "as it is older" if self.created != other.created else "by its name"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found of one card: its rules, the policies that select it, the one that holds first.

    `excluder` is the policy that excludes it by its address, `rivals` those of the winner's rank that say
    something else.
    """

    rules: Rules
    policies: tuple[Policy, ...] = ()
    excluder: Policy | None = None
    rivals: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All policies, and those of them that select the node."""

    known: tuple[Policy, ...] = ()
    here: tuple[Policy, ...] = ()

    @classmethod
    def of(cls, policies: tuple[Policy, ...], labels: Mapping[str, str]) -> Rulebook:
        """For a node with these labels."""
        ordered = tuple(sorted(policies, key=lambda policy: policy.order))
        here = tuple(p for p in ordered if all(one.matches(labels) for one in p.nodes))
        return cls(ordered, here)

    def rules(self, card: CardId) -> Rules:
        """What may be made of the card."""
        return self.judge(card).rules

    def judge(self, card: CardId) -> Judgement:
        """The card's rules, and who says so."""
        spared = frozenset(address for policy in self.here for address in policy.exclude)
        found = tuple(policy for policy in self.here if policy.cards.matches(card))
        excluder = next((policy for policy in self.here if card.name in policy.exclude), None)
        rules = replace(found[0].rules, policy=found[0].name) if found else careful(card)
        if excluder:
            rules = replace(rules, policy=excluder.name, excluded=True)
        return Judgement(replace(rules, spared=spared), found, excluder, _rivals(found))


def _rivals(found: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """Those that only age or name puts behind the first one, and that say something else."""
    if not found:
        return ()
    first, *others = found
    return tuple(other for other in others if other.rank == first.rank and other.rules != first.rules)
