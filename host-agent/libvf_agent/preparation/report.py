"""A plan, told to people or as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec

from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.plan import Plan
from libvf_agent.preparation.steps import Remake, Section, Step


def text(facts: Facts, plan: Plan, applied: bool) -> str:
    """The host, the plan by section, what a person must do, and whether to reboot."""
    lines = [_host(facts, plan), ""]
    if plan.empty:
        lines += ["Nothing to do: this host is prepared.", ""]
    for section, steps in groupby(_in_order(plan), key=lambda step: step.section):
        lines.append(section.value)
        # one change in several files (an entry a kernel) is told once
        for (what, why), same in groupby(steps, key=lambda step: (step.what, step.why)):
            lines += [
                f"  {what}",
                *_column("where: ", (step.where for step in same)),
                *_column("why:   ", why.split("; ")),
            ]
        lines.append("")
    for advice in plan.advice:
        lines.append(f"{advice.title}: {advice.found}")
        lines += [f"  {number}. {step}" for number, step in enumerate(advice.steps, 1)]
        lines.append("")
    lines.append(_ending(plan, applied))
    return "\n".join(lines)


def document(facts: Facts, plan: Plan, applied: bool) -> bytes:
    """The same as JSON."""
    content: dict[str, Any] = {
        "host": {
            "system": facts.system.name,
            "cpu": facts.cpu.value,
            "gpus": [card.told for card in facts.cards],
            "kernel": facts.kernel.version,
            "loader": plan.loader,
            "secureBoot": facts.secure_boot.name.lower(),
        },
        "steps": [
            {"section": step.section.value, "what": step.what, "where": step.where, "why": step.why}
            for step in _in_order(plan)
        ],
        "advice": [{"title": one.title, "found": one.found, "steps": one.steps} for one in plan.advice],
        "applied": applied,
        "reboot": {"needed": bool(plan.reboot), "reasons": plan.reboot},
    }
    return msgspec.json.format(msgspec.json.encode(content))


def _column(head: str, rows: Iterable[str]) -> list[str]:
    """The head before the first row, blanks of its width before the others."""
    return [f"    {' ' * len(head) if number else head}{row}" for number, row in enumerate(rows)]


def _host(facts: Facts, plan: Plan) -> str:
    gpus = ", ".join(card.told for card in facts.cards) or "none"
    return (
        f"Host: {facts.system.name}, Linux {facts.kernel.version}, CPU of {facts.cpu.value}, GPUs: {gpus}, "
        f"boot: {plan.loader}, Secure Boot: {facts.secure_boot.value}"
    )


def _in_order(plan: Plan) -> list[Step | Remake]:
    order = list(Section)
    return sorted((*plan.steps, *plan.remakes), key=lambda step: order.index(step.section))


def _ending(plan: Plan, applied: bool) -> str:
    done = [] if plan.empty else ["All of this is done; --undo takes it back."]
    lines = done if applied else ["Nothing is changed yet: --yes does it."] * (not plan.empty)
    reboot = f"Reboot needed: {'; '.join(plan.reboot)}." if plan.reboot else "No reboot is needed."
    return "\n".join([*lines, reboot])
