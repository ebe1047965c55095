"""From facts to findings: every check, in the order in which causes should be cured."""

from __future__ import annotations

from libvf_api.host import Examination, Finding, Severity

from libvf_agent.doctor import cluster_parts, gpus, iommu, kernel, kvm, memory, nvidia
from libvf_agent.doctor.facts import Facts

CHECKS = (
    kernel.findings,
    iommu.findings,
    kvm.findings,
    nvidia.findings,
    gpus.findings,
    memory.findings,
    cluster_parts.findings,
)


def examine(facts: Facts) -> Examination:
    """All that is to be said of the host."""
    return Examination((*(finding for check in CHECKS for finding in check(facts)), *_unreadable(facts)))


def unreadable(reason: str) -> Examination:
    """A host of which nothing could be learnt."""
    cure = "name the root folder of a host with --root, and run this as root"
    return Examination((Finding("host", "Readable", Severity.ERROR, reason, cure),))


def count(examination: Examination, severity: Severity) -> int:
    """How many findings are that bad."""
    return sum(1 for finding in examination.findings if finding.severity is severity)


def _unreadable(facts: Facts) -> tuple[Finding, ...]:
    if not facts.unreadable:
        return ()
    shown = ", ".join(f"/{path}" for path in facts.unreadable[:5])
    more = f" and {len(facts.unreadable) - 5} more" if len(facts.unreadable) > 5 else ""
    return (Finding("host", "Readable", Severity.UNKNOWN, f"not readable: {shown}{more}", "run this as root"),)
