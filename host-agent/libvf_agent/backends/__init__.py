"""One file per way of carving a card; all of them keep the protocol `Backend`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from libvf_agent.inventory import Gpu, SliceType
from libvf_agent.rules import RulesOf
from libvf_agent.steps import Plan, Step
from libvf_agent.sysfs import Sysfs


@dataclass(frozen=True, slots=True)
class Order:
    """One device of a claim that is to be made.

    `place` is where on the card it must lie, for types that have places. `held` are the ids of all devices in
    the journal, also of claims that are on their way out: what is in it is spoken for, whatever the kernel
    shows. `shared` are the journal's shared steps, which a plan on the same card joins. `mac` is the address that a
    virtual function of a network card is to have.
    """

    kind: SliceType
    device: str
    claim_uid: str
    place: int | None = None
    held: frozenset[str] = frozenset()
    shared: frozenset[Step] = frozenset()
    mac: str = ""


class Backend(Protocol):
    """Discover cards and what is on them, and plan one device; `name` is in the types that it carves."""

    name: str

    def discover(self, sysfs: Sysfs, rules: RulesOf) -> tuple[Gpu, ...]: ...
    def plan(self, gpu: Gpu, order: Order) -> Plan: ...
