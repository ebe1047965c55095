"""Which rules hold on a card while something is on it: what was made under other rules keeps those. Pure.

A policy that changes disturbs nothing in use. Backends keep what exists as it is, and what may be asked for is the
new policy's word at once. The rules that devices were made under are in the journal beside their plans: they hold
where nothing on the card would tell them, and when devices are made anew for their claims, as after a reboot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from libvf_agent.journal import Entry, Slice
from libvf_agent.rules import FUNCTION, MEDIATED, PASSTHROUGH, Rules
from libvf_agent.steps import Bind, Plan, Run, Write

SHAPE = ("functions", "quota", "vram", "reserved_vram", "heterogeneous", "take_from_host", "take_host_display")
"""What of the rules says how a card is cut and that it is there to be cut: the names of devices follow from it."""

UNTOLD = ("heterogeneous",)
"""What of that a cut card does not always tell itself, as its number of functions does."""

_MATTERS = {
    MEDIATED: UNTOLD,
    FUNCTION: ("functions", "quota", "vram", "reserved_vram", "heterogeneous"),
    PASSTHROUGH: ("vram", "take_from_host", "take_host_display"),
}
"""What of it a device of each kind was made by."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of ours, and the claim (namespace/name) it is for."""

    claim: str
    piece: Slice
    plan: Plan

    @property
    def mode(self) -> str:
        """How it was made, in the words of GpuPartition's `mode`."""
        return str(self.plan.facts["mode"])

    @property
    def functions(self) -> frozenset[str]:
        """The PCI functions that it is, or what else its plan calls it."""
        return frozenset({self.plan.id, *(step.address for step in self.plan.steps if isinstance(step, Bind))})


@dataclass(frozen=True, slots=True)
class Held:
    """What of ours is on a card, and the rules it was made under; `anew` where some of it is to be made again.

    `makes` are the physical functions whose virtual ones are there by a step of ours, maybe for a stranger alone.
    """

    rules: Rules
    devices: tuple[Device, ...] = ()
    anew: bool = False
    makes: frozenset[str] = frozenset()

    @property
    def functions(self) -> frozenset[str]:
        """The PCI functions that the devices are."""
        return frozenset(function for device in self.devices for function in device.functions)

    def and_also(self, entry: Entry, piece: Slice, plan: Plan) -> Held:
        """With what another plan has made; what is left of a claim that is gone is nobody's device."""
        made = frozenset(step.functions for step in plan.steps if isinstance(step, (Write, Run)) and step.functions)
        device = () if entry.is_remainder else (Device(f"{entry.namespace}/{entry.name}", piece, plan),)
        return replace(self, devices=(*self.devices, *device), makes=self.makes | made)


def held(entries: Iterable[Entry], boot_id: str) -> Mapping[str, Held]:
    """For each pool what the journal has on it, also of an earlier boot: its claims want their devices back.

    The first one says the rules: what matters of them stays while there is any device on the card.
    """
    found: dict[str, Held] = {}
    for entry in entries:
        for piece in entry.slices:
            if piece.plan is not None:
                before = found.get(piece.pool, Held(piece.rules or Rules()))
                now = before.and_also(entry, piece, piece.plan)
                found[piece.pool] = replace(now, anew=before.anew or entry.boot_id != boot_id)
    return found


def as_before(wanted: Entry, known: Entry | None) -> Entry:
    """The entry with the rules under which its claim had these devices already, where it had."""
    had = {piece.key: piece.rules or Rules() for piece in known.slices if piece.plan} if known else {}
    slices = tuple(msgspec.structs.replace(piece, rules=had.get(piece.key)) for piece in wanted.slices)
    return msgspec.structs.replace(wanted, slices=slices)


def in_force(wanted: Rules, on_card: Held | None) -> Rules:
    """What holds on a card: the policy's wish, in the shape of what is there or is to be there again.

    A card that is to be left alone is still ours to give back, so it stays known and takes nothing new. Nor are
    virtual functions given to more claims that only an earlier policy wanted: they would never go.
    """
    if on_card is None:
        return wanted
    modes = frozenset() if wanted.excluded else wanted.modes
    if wanted.functions is None and on_card.rules.functions is not None and on_card.makes:
        modes -= {FUNCTION}
    shape = {name: getattr(on_card.rules, name) for name in (SHAPE if on_card.anew else UNTOLD)}
    return replace(wanted, excluded=False, modes=modes, spared=wanted.spared - on_card.functions, **shape)


def is_another_shape(wanted: Rules, on_card: Held) -> bool:
    """Whether the card is to be cut in another way than it is, as far as that is about what is on it."""
    names = {name for device in on_card.devices for name in _MATTERS[device.mode]}
    return any(getattr(wanted, name) != getattr(on_card.rules, name) for name in names)
