"""`kubectl vf doctor`: what the hosts lack, and the cures."""

from __future__ import annotations

from collections.abc import Sequence

from libvf_api.host import Examination, Finding, Severity

from libvf_cli.agents import Agent, Told, ask, found
from libvf_cli.errors import KubectlFailed
from libvf_cli.kubectl import Json, Kubectl
from libvf_cli.table import aligned

_TOLD = (Severity.ERROR, Severity.WARNING, Severity.UNKNOWN)


def examined(kubectl: Kubectl, node: str | None) -> tuple[Told[Examination], ...]:
    """Every host's findings; each is told the versions of its kubelet and runtime, if the user may see Nodes."""
    agents = found(kubectl, node)
    infos = _infos(kubectl, node)

    def command(agent: Agent) -> tuple[str, ...]:
        info = infos.get(agent.node, {})
        versions = (info.get("kubeletVersion", ""), info.get("containerRuntimeVersion", ""))
        return ("doctor", f"--kubelet={versions[0]}", f"--runtime={versions[1]}")

    return ask(kubectl, agents, Examination, command)


def failed(told: Sequence[Told[Examination]]) -> bool:
    """Whether a host lacks what it needs, or did not answer."""
    return any(one.answer is None or _worst(one.answer) is Severity.ERROR for one in told)


def text(told: Sequence[Told[Examination]]) -> str:
    """What is wrong, as a table with the cures below it; then each host in a line."""
    wrong = [(one.node, f) for one in told for f in _wrong(one)]
    rows = [(node, f.severity.value, f.check, f.subject, f.what) for node, f in wrong]
    cures = [f"{f.check} on {node}: {f.cure}" for node, f in wrong if f.cure]
    table = aligned(("NODE", "SEVERITY", "CHECK", "SUBJECT", "WHAT"), rows)
    hosts = aligned(("NODE", "STATE"), [(one.node, _state(one)) for one in told])
    parts = (table, "\n".join(("Cures:", *(f"  {cure}" for cure in dict.fromkeys(cures)))) if cures else "", hosts)
    return "\n\n".join(part for part in parts if part)


def _infos(kubectl: Kubectl, node: str | None) -> dict[str, Json]:
    """Each Node's status.nodeInfo; none where the user may not see Nodes, and then the agents say `unknown`."""
    try:
        document = kubectl.get("nodes", *((node,) if node else ()))
    except KubectlFailed:
        return {}
    nodes = document.get("items") or ([document] if node else [])
    return {one["metadata"]["name"]: one.get("status", {}).get("nodeInfo", {}) for one in nodes}


def _wrong(told: Told[Examination]) -> list[Finding]:
    findings = told.answer.findings if told.answer else ()
    return [finding for severity in _TOLD for finding in findings if finding.severity is severity]


def _worst(examination: Examination) -> Severity:
    there = {finding.severity for finding in examination.findings}
    return next((severity for severity in _TOLD if severity in there), Severity.OK)


def _state(told: Told[Examination]) -> str:
    if told.answer is None:
        return f"not asked: {told.error}"
    counts = [(s, sum(1 for f in told.answer.findings if f.severity is s)) for s in (*_TOLD, Severity.OK)]
    return ", ".join(f"{severity.value}: {number}" for severity, number in counts if number)
