"""What the agent counts, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OK, FAILED = "ok", "error"


@dataclass
class Metrics:
    """One agent's numbers since its start; `seconds` is the time of all prepares together."""

    offered: int = 0
    prepares: Counter[str] = field(default_factory=lambda: Counter({OK: 0, FAILED: 0}))
    seconds: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)

    def prepared(self, seconds: float, failed: bool) -> None:
        """One claim's prepare has ended."""
        self.prepares[FAILED if failed else OK] += 1
        self.seconds += seconds

    def text(self, carved: int) -> str:
        """All of them; `carved` is counted where it is recorded, in the journal."""
        results = [(f'{{result="{result}"}}', number) for result, number in sorted(self.prepares.items())]
        findings = [(f'{{severity="{severity}"}}', number) for severity, number in self.findings.items()]
        timed = [("_sum", round(self.seconds, 6)), ("_count", self.prepares.total())]
        families = (
            ("libvf_devices_offered", "gauge", "Devices in the slices of this node.", [("", self.offered)]),
            ("libvf_devices_carved", "gauge", "Devices of ours that exist.", [("", carved)]),
            ("libvf_prepare_total", "counter", "Claims prepared, by result.", results),
            ("libvf_prepare_seconds", "summary", "Time of a prepare, with its retries.", timed),
            ("libvf_doctor_findings", "gauge", "Findings of the last examination of this host.", findings),
        )
        return "".join(line for name, kind, told, samples in families for line in _family(name, kind, told, samples))


def _family(name: str, kind: str, told: str, samples: Iterable[tuple[str, float]]) -> list[str]:
    head = [f"# HELP {name} {told}\n", f"# TYPE {name} {kind}\n"]
    return [*head, *(f"{name}{tail} {number}\n" for tail, number in samples)]
