"""The planner: facts of a host and wishes in, steps and advice out; it touches nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from libvf_agent.preparation import advice, command_line, initramfs, kvm, loaders, modules
from libvf_agent.preparation.advice import Advice
from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.loaders.loader import Loader
from libvf_agent.preparation.steps import EditKernelCommandLine, Remake, Step
from libvf_agent.preparation.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order, then what is made anew; `reboot` has the reasons for one, empty where none is needed."""

    steps: tuple[Step, ...]
    remakes: tuple[Remake, ...]
    advice: tuple[Advice, ...]
    reboot: tuple[str, ...]
    loader: str

    @property
    def empty(self) -> bool:
        """Whether everything is so already."""
        return not self.steps and not self.remakes


def plan(facts: Facts, wishes: Wishes, due: Iterable[Remake] = ()) -> Plan:
    """What is missing on this host. `due` is what a run that was cut short still owes.

    UnknownLayout where words are missing and nothing is known of how the host boots; a host whose running kernel
    has all words needs no loader, so that words added by hand are enough.
    """
    remakes = list(due)
    edits, loader = _edits(facts, wishes)
    blacklist = modules.blacklist_step(facts)
    rule = kvm.rule_step(facts)
    if blacklist:
        remakes.append(
            initramfs.remake(facts, "nouveau may be in it, and would take the card before the root is there")
        )
    if edits and loader:
        remakes += loader.remakes(facts)
    if rule:
        remakes += kvm.remakes(facts)
    some = (*edits, modules.load_step(facts, wishes), blacklist, *kvm.group_steps(facts, wishes), rule)
    return Plan(
        steps=tuple(step for step in some if step),
        remakes=_once(remakes),
        advice=advice.of(facts),
        reboot=_reboot(facts, wishes, blacklisted=bool(blacklist)),
        loader=loader.name if loader else "unknown",
    )


def _edits(facts: Facts, wishes: Wishes) -> tuple[tuple[EditKernelCommandLine, ...], Loader | None]:
    loader = loaders.find(facts)
    if loader:
        return command_line.steps(loader.lines(facts), facts, wishes), loader
    now = command_line.running(facts, wishes)
    if now.add or now.remove:
        raise loaders.unknown(facts, command_line.missing((), facts, wishes).add)
    return (), None


def _once(remakes: Iterable[Remake]) -> tuple[Remake, ...]:
    return tuple({remake.argv: remake for remake in remakes}.values())


def _reboot(facts: Facts, wishes: Wishes, blacklisted: bool) -> tuple[str, ...]:
    now = command_line.running(facts, wishes)
    reasons = []
    if now.add:
        reasons.append(f"the running kernel was started without {' '.join(now.add)}")
    if now.remove:
        reasons.append(f"the running kernel was started with {' '.join(now.remove)}")
    if "nouveau" in facts.kernel.loaded and (blacklisted or modules.keeps_nouveau_off(facts)):
        reasons.append("nouveau is loaded")
    late = modules.not_loaded(facts, wishes)
    if late:
        reasons.append(f"not loaded yet: {', '.join(late)}")
    return tuple(reasons)
