"""From an allocation to plans: each device by the backend that carves it, on what the one before leaves. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec
from libvf_api.names import NIC, NIC_CLASS

from libvf_agent.backends import Order
from libvf_agent.cards import Card, Part
from libvf_agent.claims import Claim
from libvf_agent.errors import BadConfig, ClaimError
from libvf_agent.inventory import Gpu
from libvf_agent.journal import Entry, Slice
from libvf_agent.rules import FUNCTION, Rules
from libvf_agent.slices import GIVEN, pool_name
from libvf_agent.steps import Bind, Facts, Plan, Step


def planned(node: str, cards: Iterable[Card], wanted: Entry, held: frozenset[str], shared: frozenset[Step]) -> Entry:
    """The entry with a plan for each of its devices; `held` and `shared` are the journal's (see `Order`).

    A device that comes with rules was the claim's before, and is made anew whatever is allowed by now.
    """
    by_pool = {pool_name(node, card.gpu.name): card for card in cards}
    given = {pool_name(node, kind) for kind in GIVEN}
    slices: list[Slice] = []
    for piece in wanted.slices:
        if piece.pool in given:
            slices.append(piece)
            continue
        card = _card(by_pool.get(piece.pool), piece.pool)
        part, order = _order(card, piece, wanted.uid)
        _refuse_new(piece, order, part.gpu.rules)
        plan = part.backend.plan(part.gpu, replace(order, held=held, shared=shared))
        _refuse_spared(plan, part.gpu.rules)
        held, by_pool[piece.pool] = held | {plan.id}, card.after(part, plan)
        plan = msgspec.structs.replace(plan, facts=_facts(part.gpu, order) | plan.facts)
        slices.append(msgspec.structs.replace(piece, plan=plan, rules=part.gpu.rules))
    return msgspec.structs.replace(wanted, slices=tuple(slices))


def configured(entry: Entry, claim: Claim) -> Entry:
    """The entry with what the claim's configuration says of each device; raises BadConfig."""
    slices = tuple(msgspec.structs.replace(piece, mac=claim.mac(piece.request)) for piece in entry.slices)
    return msgspec.structs.replace(entry, slices=slices)


def _facts(gpu: Gpu, order: Order) -> Facts:
    """What the card says of each of its devices; what a plan says of its own comes before it."""
    kind = order.kind
    facts = {
        "kind": NIC if gpu.kind == NIC else None,
        "mac": order.mac or None,
        "parent": gpu.name,
        "type": kind.id,
        "mode": kind.mode,
        "vram": kind.vram or None,
        "pciAddress": gpu.pci_address,
        "numaNode": gpu.numa_node,
        "display": kind.display,
    }
    return {key: value for key, value in facts.items() if value is not None}


def _order(card: Card, piece: Slice, uid: str) -> tuple[Part, Order]:
    found = card.part(piece.device)
    if found is None:
        cure = "load its driver, or delete the claim's Pod if a policy has changed since"
        raise ClaimError(f"{piece.pool} has no type for {piece.device}: {cure}")
    part, kind = found
    place = int(piece.device.rpartition("-")[2]) if kind.places else None
    if piece.mac and (part.gpu.kind, kind.mode) != (NIC, FUNCTION):
        cure = f"ask for one by class {NIC_CLASS}"
        raise BadConfig(f"NicConfig is for virtual functions of network cards, and {piece.device} is none: {cure}")
    return part, Order(kind, piece.device, uid, place, mac=piece.mac)


def _refuse_new(piece: Slice, order: Order, rules: Rules) -> None:
    """What was allocated just before a policy changed."""
    if piece.rules is None and not rules.allows(order.kind.mode, order.kind.id):
        told = f"policy {rules.policy} does not allow" if rules.policy else "no policy allows"
        cure = "delete the claim's Pod, or change the policy"
        raise ClaimError(f"{told} {order.kind.id} on {piece.pool} any more: {cure}")


def _refuse_spared(plan: Plan, rules: Rules) -> None:
    """The last look, whatever a backend offers: what a policy excludes is not touched."""
    touched = {plan.id, plan.parent, *(step.address for step in plan.steps if isinstance(step, Bind))}
    if spared := ", ".join(sorted(touched & rules.spared)):
        raise ClaimError(f"spec.exclude of a GpuPolicy names {spared}: leave it out there, or delete the claim's Pod")


def _card(card: Card | None, pool: str) -> Card:
    if card is None:
        raise ClaimError(f"no card of this host is pool {pool}: load its driver, or delete the Pod that waits")
    return card
