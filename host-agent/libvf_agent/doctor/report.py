"""An examination, told to people."""

from __future__ import annotations

from libvf_api.host import Examination, Finding, Severity

from libvf_agent.doctor.examination import count

_TOLD = (Severity.ERROR, Severity.WARNING, Severity.UNKNOWN, Severity.OK)


def text(examination: Examination) -> str:
    """The worst first, each with its cure; then how many there are."""
    lines = [line for severity in _TOLD for f in examination.findings if f.severity is severity for line in _lines(f)]
    counts = ", ".join(f"{severity.value}: {count(examination, severity)}" for severity in _TOLD)
    return "\n".join([*lines, "", counts])


def _lines(finding: Finding) -> list[str]:
    head = f"{finding.severity.value:<8} {finding.check:<15} {finding.subject:<13} {finding.what}"
    return [head, f"{'':8} cure: {finding.cure}"] if finding.cure else [head]
