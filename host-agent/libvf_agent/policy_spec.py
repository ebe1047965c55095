"""Reading a GpuPolicy: from the API's document to a policy in the agent's terms. Pure.

The API server has checked what it serves, but a definition newer than this agent has words that it does not know,
and one that is left out may be the one that forbids. So a policy is understood as a whole or not at all, and one
that is not keeps everything new off every card that it may mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from libvf_api.quantity import BadQuantity, to_bytes
from libvf_api.v1alpha1 import Cards as CardsSpec
from libvf_api.v1alpha1 import GpuPolicySpec, NodeSelector, Reserve, VirtualFunctions

from libvf_agent.policies import HIGHEST, Cards, Expression, Policy
from libvf_agent.rules import Quota, Rules

Json = dict[str, Any]
Text = str | int | msgspec.UnsetType
T = TypeVar("T")
D = TypeVar("D")

_DURATION = re.compile(r"([0-9]{1,6})(us|ms|s|)")
_MICROSECONDS = {"us": 1, "ms": 1000, "s": 1_000_000, "": 1000}


class NotUnderstood(ValueError):
    """What this agent does not know of a policy."""


def parse(document: Json) -> Policy:
    """The policy; one that is not understood has a fault and rules that leave its cards alone."""
    named, said = _named(document), document.get("spec")
    try:
        spec = msgspec.convert(said, GpuPolicySpec)
        lost = _lost(said, spec)
        if lost is not None:
            raise NotUnderstood(f"spec.{lost} is not known to this agent: update it")
        rules = _rules(spec)
    except (NotUnderstood, BadQuantity, msgspec.ValidationError) as error:
        return _closed(named, said if isinstance(said, dict) else {}, str(error))
    return replace(
        named,
        priority=_given(spec.priority, 0),
        nodes=_nodes(_given(spec.node_selector, NodeSelector())),
        cards=_cards(_given(spec.cards, CardsSpec())),
        exclude=frozenset(_given(spec.exclude, [])),
        rules=rules,
    )


def _named(document: Json) -> Policy:
    meta = document.get("metadata") or {}
    created = str(meta.get("creationTimestamp") or "")
    return Policy(str(meta.get("name", "")), str(meta.get("uid", "")), int(meta.get("generation") or 0), created)


def _closed(named: Policy, said: Json, fault: str) -> Policy:
    """Nothing new on the cards that it selects: on all, and before all other policies, where that is not known either.

    What all must match is read as far as it is known: that can only select more than was meant.
    """
    left = replace(named, rules=Rules(modes=frozenset(), excluded=True), fault=fault)
    nodes = _loosely(said.get("nodeSelector", {}), NodeSelector)
    left = replace(left, nodes=_nodes(nodes)) if nodes else left
    cards = _loosely(said.get("cards", {}), CardsSpec)
    priority = _loosely(said.get("priority", 0), int)
    exclude = _loosely(said.get("exclude", []), list[str])
    if cards is None or priority is None or exclude is None or not said:
        return replace(left, cards=Cards(unread=True), priority=HIGHEST)
    unread = _lost(said.get("cards", {}), cards) is not None
    return replace(left, cards=replace(_cards(cards), unread=unread), priority=priority, exclude=frozenset(exclude))


def _loosely(said: Any, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError:
        return None


def _lost(said: Any, read: Any) -> str | None:
    """The first word that was said and has no place in what was read; None where all have."""
    return next(_unread(said, msgspec.to_builtins(read), ""), None)


def _unread(said: Any, read: Any, place: str) -> Iterator[str]:
    """The places of what was said and not read."""
    if isinstance(said, dict):
        for key, value in said.items():
            if key in read:
                yield from _unread(value, read[key], f"{place}{key}.")
            else:
                yield f"{place}{key}"
    elif isinstance(said, list):
        for index, (one, other) in enumerate(zip(said, read, strict=True)):
            yield from _unread(one, other, f"{place}{index}.")


def _nodes(selector: NodeSelector) -> tuple[Expression, ...]:
    labels = (Expression(key, "In", (value,)) for key, value in sorted(_given(selector.match_labels, {}).items()))
    listed = _given(selector.match_expressions, [])
    return (*labels, *(Expression(one.key, one.operator, tuple(_given(one.values, []))) for one in listed))


def _cards(cards: CardsSpec) -> Cards:
    kind = _given(cards.class_, "Any")
    return Cards(
        _given(cards.vendor, ""),
        frozenset(_given(cards.devices, [])),
        frozenset(_given(cards.addresses, [])),
        "" if kind == "Any" else kind,
    )


def _rules(spec: GpuPolicySpec) -> Rules:
    """Without the policy's name: two policies that say the same are no rivals."""
    modes = frozenset[str](_given(spec.modes, sorted(Rules().modes)))
    functions = _given(spec.virtual_functions, VirtualFunctions())
    reserve = _given(spec.reserve, Reserve())
    parameters = _given(spec.parameters, {})
    return Rules(
        modes=modes,
        types=tuple(_given(spec.types, [])),
        functions=_given(functions.count, None),
        quota=_quota(functions),
        vram=_bytes(spec.vram),
        heterogeneous=_given(spec.heterogeneous, None),
        parameters=",".join(f"{key}={value}" for key, value in sorted(parameters.items())),
        reserved_vram=_bytes(reserve.vram),
        take_from_host=_given(spec.take_from_host, False),
        take_host_display=_given(spec.host_display, "Keep") == "Take",
        reuse_without_reset=_given(spec.reuse_without_reset, False),
        excluded=not modes,
        draining="its policy drains it" if _given(spec.drain, False) else "",
    )


def _quota(functions: VirtualFunctions) -> Quota:
    quantum, timeout = _microseconds(functions.exec_quantum), _microseconds(functions.preempt_timeout)
    priority = _given(functions.priority, None)
    return Quota(
        sizes=tuple(map(to_bytes, _given(functions.sizes, []))),
        exec_quantum_ms=None if quantum is None else quantum // 1000,
        preempt_timeout_us=timeout,
        priority=priority.lower() if priority else None,  # the kernel's words
    )


def _bytes(text: Text) -> int:
    """0 where nothing is said."""
    return 0 if isinstance(text, msgspec.UnsetType) else to_bytes(text)


def _microseconds(text: Text) -> int | None:
    if isinstance(text, msgspec.UnsetType):
        return None
    found = _DURATION.fullmatch(str(text))
    if found is None:
        raise NotUnderstood(f"{text!r} is no duration: write it as 5ms")
    return int(found[1]) * _MICROSECONDS[found[2]]


def _given(value: T | msgspec.UnsetType, otherwise: D) -> T | D:
    return otherwise if isinstance(value, msgspec.UnsetType) else value
