"""What became of every policy on this host's cards, with the cure where it is not in force. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from libvf_api.policy_report import CardReport, PolicyReport, Reason

from libvf_agent.cards import Card
from libvf_agent.holding import Device, Held, is_another_shape
from libvf_agent.inventory import Carving
from libvf_agent.policies import Judgement, Policy, Rulebook
from libvf_agent.rules import FUNCTION, MEDIATED, PASSTHROUGH, CardId, Rules

MOST_CARDS = 32
_MESSAGE = 700
_WORDS = {MEDIATED: "mediated device", FUNCTION: "virtual function", PASSTHROUGH: "whole card"}

_CURE = "set spec.priority of one of them"
_TOLD = 8

Found = tuple[Reason, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A card as the agent sees it: how it can be cut, None where it can not, and what of ours is on it."""

    id: CardId
    card: Card | None = None
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A host as it was seen; `holders` names who has a device open, `refusal` why a card is not handed out whole."""

    node: str
    seen: tuple[Seen, ...]
    holders: Callable[[Carving], tuple[str, ...]] = lambda carving: ()
    refusal: Callable[[str], str] = lambda address: ""


def report(book: Rulebook, look: Look) -> tuple[PolicyReport, ...]:
    """All policies that the agent has read, with the cards of each."""
    judged = [(one, book.judge(one.id)) for one in sorted(look.seen, key=lambda one: one.id.name)]
    found: dict[str, list[CardReport]] = {}
    for seen, judgement in judged:
        for policy, card in _told(look, seen, judgement):
            found.setdefault(policy.name, []).append(card)
    return tuple(PolicyReport(p.name, p.uid, p.generation, _most(found.get(p.name, []))) for p in book.known)


def _most(cards: list[CardReport]) -> tuple[CardReport, ...]:
    """As many as a report holds, those that somebody should read about first."""
    return tuple(sorted(cards, key=lambda card: (card.effective, card.name))[:MOST_CARDS])


def _told(look: Look, seen: Seen, judgement: Judgement) -> list[tuple[Policy, CardReport]]:
    """The card, as each policy that concerns it is told of it."""
    if judgement.excluder:
        return _excluded(look, seen, judgement, judgement.excluder)
    if not judgement.policies:
        return []
    first, *others = judgement.policies
    losers = [(other, _lost(seen, first, other, other in judgement.rivals)) for other in others]
    return [(first, _won(look, seen, judgement, first)), *losers]


def _excluded(look: Look, seen: Seen, judgement: Judgement, excluder: Policy) -> list[tuple[Policy, CardReport]]:
    """Nobody else's word counts for a card that one policy excludes."""
    others = [policy for policy in judgement.policies if policy.name != excluder.name]
    words = f"policy {excluder.name} excludes it: leave it out of that one's spec.exclude"
    waiting = _waiting(look, seen, judgement.rules)
    own = waiting or (Reason.EXCLUDED, "it is never touched", ())
    told = [(policy, _card(seen, False, (Reason.EXCLUDED, words, ()))) for policy in others]
    return [(excluder, _card(seen, waiting is None, own)), *told]


def _lost(seen: Seen, winner: Policy, loser: Policy, rival: bool) -> CardReport:
    words = f"policy {winner.name} wins on {seen.id.name} {winner.beats(loser)}"
    if not rival:
        return _card(seen, False, (Reason.SHADOWED, words, ()))
    return _card(seen, False, (Reason.CONFLICTING, f"{words} alone, and says otherwise: {_CURE}", ()))


def _won(look: Look, seen: Seen, judgement: Judgement, policy: Policy) -> CardReport:
    rules = judgement.rules
    if policy.fault:
        words = f"nothing new comes to it, as the policy is not understood: {policy.fault}"
        return _card(seen, False, (Reason.NOT_UNDERSTOOD, words, ()))
    if found := _waiting(look, seen, rules) or _other_count(look, seen, rules):
        return _card(seen, False, found)
    if judgement.rivals:
        names = ", ".join(rival.name for rival in judgement.rivals)
        return _card(seen, True, (Reason.CONFLICTING, f"policy {names} of the same rank says otherwise: {_CURE}", ()))
    if rules.draining:
        return _card(seen, True, _draining(look, seen))
    nothing = "" if rules.excluded else _nothing(look, seen, rules)
    return _card(seen, True, (Reason.NOTHING_TO_OFFER, nothing, ()) if nothing else (Reason.IN_FORCE, "", ()))


def _card(seen: Seen, effective: bool, found: Found) -> CardReport:
    reason, message, claims = found
    return CardReport(seen.id.name, effective, reason, message[:_MESSAGE], claims[:16])


# what is waited for


def _waiting(look: Look, seen: Seen, wanted: Rules) -> Found | None:
    """Devices in use that the policy would have otherwise: ours by their claims, others by who has them open."""
    ours, strangers = _in_the_way(seen, wanted), _strangers(look, seen, wanted)
    told = [_of_ours(look, seen, ours)] if ours else []
    if strangers:
        told.append(f"{_few(strangers)} on {look.node} {seen.id.name}, which libvf did not make")
    return (Reason.WAITING, f"waits for {' and for '.join(told)}", _claims(ours)) if told else None


def _in_the_way(seen: Seen, wanted: Rules) -> tuple[Device, ...]:
    """All devices of ours where the card is to be cut in another way; else those that are not allowed any more."""
    if seen.held is None:
        return ()
    if is_another_shape(wanted, seen.held):
        return seen.held.devices
    return tuple(d for d in seen.held.devices if not _is_allowed(d, wanted))


def _is_allowed(device: Device, wanted: Rules) -> bool:
    return wanted.allows(device.mode, device.plan.type) and not device.functions & wanted.spared


def _strangers(look: Look, seen: Seen, wanted: Rules) -> list[str]:
    """Devices that others made and use, where the policy would have something else of the card."""
    if seen.card is None or wanted.excluded:
        return []
    gpu, ours = seen.card.gpu, {device.plan.id for device in seen.held.devices} if seen.held else set()
    foreign = [c for c in gpu.carvings if c.in_use and c.id not in ours]
    keep = _is_made_by_us(seen) and _counts(seen, wanted) is not None
    wrong = [c for c in foreign if keep or ((kind := gpu.type(c.type)) and not wanted.allows(kind.mode, kind.id))]
    told = ((c.id, ", ".join(look.holders(c))) for c in wrong)
    return [f"{name} (open in {holders})" if holders else name for name, holders in told]


def _draining(look: Look, seen: Seen) -> Found:
    devices = seen.held.devices if seen.held else ()
    if not devices:
        return Reason.DRAINING, "nothing new comes to it, and nothing of libvf is on it", ()
    words = f"nothing new comes to it; it is still used by {_of_ours(look, seen, devices)}"
    return Reason.DRAINING, words, _claims(devices)


def _of_ours(look: Look, seen: Seen, devices: tuple[Device, ...]) -> str:
    counts = Counter(_WORDS[device.mode] for device in devices)
    told = ", ".join(f"{count} {word}{'s'[: count > 1]}" for word, count in sorted(counts.items()))
    return f"{_few(list(_claims(devices)))} on {look.node} {seen.id.name}: {told} in use"


def _claims(devices: tuple[Device, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(device.claim for device in devices))


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(names[:_TOLD]) + more


# what is otherwise than the policy says, or gives nothing


def _other_count(look: Look, seen: Seen, wanted: Rules) -> Found | None:
    """Virtual functions that somebody else made stay as they are: they may be anybody's. NVIDIA makes all or none."""
    if _is_made_by_us(seen) or (counts := _counts(seen, wanted)) is None:
        return None
    there, count = counts
    path = f"/sys/bus/pci/devices/{seen.id.name}/sriov_numvfs"
    words = (
        f"{there} virtual functions exist that libvf did not make, and are used as they are; the policy wants {count}: "
        f"echo 0 > {path} on {look.node} once nobody uses them"
    )
    return Reason.OTHER_COUNT, words, ()


def _counts(seen: Seen, wanted: Rules) -> tuple[int, int] | None:
    """How many virtual functions there are, and how many a policy wants, where these differ."""
    physical = seen.card.gpu.function(seen.id.name) if seen.card else None
    if wanted.excluded or FUNCTION not in wanted.modes or seen.id.vendor == "nvidia":
        return None
    if not (physical and physical.sriov and physical.sriov.count):
        return None
    there = physical.sriov.count
    count = min(wanted.functions or there, physical.sriov.total)
    return None if there == count else (there, count)


def _is_made_by_us(seen: Seen) -> bool:
    return seen.held is not None and seen.id.name in seen.held.makes


def _nothing(look: Look, seen: Seen, wanted: Rules) -> str:
    """Why nothing of the card is offered although the policy would have it; empty where something is."""
    kinds = seen.card.gpu.types if seen.card else ()
    if any(wanted.allows(kind.mode, kind.id) for kind in kinds):
        return ""
    words = []
    if kinds:
        names = _few([kind.id for kind in kinds])
        words.append(f"it could be cut into {names}, which spec.modes and spec.types do not allow")
    if FUNCTION in wanted.modes and wanted.functions is None:
        words.append("virtual functions are made where spec.virtualFunctions.count says how many")
    if PASSTHROUGH in wanted.modes and (refusal := look.refusal(seen.id.name)):
        words.append(f"it is not handed out whole: {refusal}")
    return "; ".join(words) or f"no driver of {look.node} cuts it: kubectl vf doctor {look.node}"
