"""`kubectl vf defrag` in words, and as a document. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libvf_api.offers import Offer, wanted

from libvf_cli.defrag import Found
from libvf_cli.kubectl import Json
from libvf_cli.table import aligned

_HEAD = ("CLAIM", "TYPE", "FROM", "BECOMES", "ON")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found for one request; `name` is the partition that waits, empty for one that was only asked about."""

    name: str
    spec: Json
    found: Found


def text(answers: Sequence[Answer], most: int) -> str:
    """One paragraph for each."""
    return "\n\n".join(_told(one, most) for one in answers) or (
        "nothing waits for a slice: --gpu tries what might be asked for"
    )


def document(answers: Sequence[Answer]) -> Json:
    """The same for programs; `target` is null where so few moves make no room."""
    return {"requests": [_document(one) for one in answers]}


def _told(one: Answer, most: int) -> str:
    who = f"{one.name} ({wanted(one.spec)})" if one.name else wanted(one.spec)
    plan = one.found.plan
    if plan is None:
        doubt = "" if one.found.finished else "; not all ways were tried"
        return f"{who} has no room, also if {most} other{'s' * (most != 1)} moved{doubt}"
    place = f"{who} could run on {plan.target.node}, as {plan.target.type} of {_card(plan.target)}"
    if not plan.moves:
        return f"{place}: nothing has to move, so something else of the node keeps it waiting"
    rows = [
        (
            m.claim,
            m.source.type,
            f"{m.source.node} {_card(m.source)}",
            m.target.type,
            f"{m.target.node} {_card(m.target)}",
        )
        for m in plan.moves
    ]
    table = "\n".join(f"  {line}" for line in aligned(_HEAD, rows).splitlines())
    return f"{place}, if {len(rows)} other{'s' * (len(rows) != 1)} moved:\n{table}"


def _document(one: Answer) -> Json:
    plan = one.found.plan
    moves = [{"claim": m.claim, "from": _place(m.source), "to": _place(m.target)} for m in plan.moves] if plan else []
    told = {"request": one.name, "wants": wanted(one.spec), "finished": one.found.finished}
    return {**told, "target": _place(plan.target) if plan else None, "moves": moves}


def _place(offer: Offer) -> Json:
    return {"node": offer.node, "card": _card(offer), "type": offer.type, "device": offer.name}


def _where(offer: Offer) -> str:
    return f"{offer.node} {_card(offer)}"


def _card(offer: Offer) -> str:
    return offer.parent or offer.pool
