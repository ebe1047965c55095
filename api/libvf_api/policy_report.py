"""What a node's agent says of every GpuPolicy: an annotation on one of its own ResourceSlices, which admission already
holds to its own node and which goes with the node. The operator sums the reports of all nodes up.

Agents that all wrote into one object would each wake all the others with every word.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """What became of a policy on a card."""

    IN_FORCE = "InForce"
    DRAINING = "Draining"
    NOTHING_TO_OFFER = "NothingToOffer"
    WAITING = "Waiting"
    SHADOWED = "Shadowed"
    CONFLICTING = "Conflicting"
    EXCLUDED = "Excluded"
    OTHER_COUNT = "OtherCount"
    NOT_UNDERSTOOD = "NotUnderstood"


class CardReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """One card that a policy selects; `claims` are those it waits for, as namespace/name."""

    name: str
    effective: bool
    reason: Reason
    message: str = ""
    claims: tuple[str, ...] = ()


class PolicyReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """A policy as the agent has read it; without cards where it selects none of the node's."""

    name: str
    uid: str
    generation: int
    cards: tuple[CardReport, ...] = ()


class BadReport(ValueError):
    """Text that is no report."""


def encode(policies: Iterable[PolicyReport]) -> str:
    """The annotation's text; the same report is always the same text."""
    return msgspec.json.encode(tuple(policies)).decode()


def decode(text: str) -> tuple[PolicyReport, ...]:
    """Raises BadReport, as an agent of another version may have written it."""
    try:
        return msgspec.json.decode(text, type=tuple[PolicyReport, ...])
    except msgspec.MsgspecError as error:
        raise BadReport(f"{error}: update the agent of this node") from error
