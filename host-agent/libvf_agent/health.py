"""Whether the devices that were handed out are still there."""

from __future__ import annotations

from dataclasses import dataclass

from libvf_agent.host import Host
from libvf_agent.journal import Phase


@dataclass(frozen=True, slots=True)
class Verdict:
    """One device in use; `message` says what and the cure where it is not healthy."""

    pool: str
    device: str
    healthy: bool
    message: str = ""


def verdicts(host: Host) -> list[Verdict]:
    """All devices of completed claims."""
    lost = {(piece.pool, piece.device) for _, piece in host.lost()}
    entries = [entry for entry in host.journal.readable()[0] if entry.phase is Phase.COMPLETED]
    return [_verdict(s.pool, s.device, (s.pool, s.device) in lost) for e in entries for s in e.slices]


def _verdict(pool: str, device: str, lost: bool) -> Verdict:
    if not lost:
        return Verdict(pool, device, True)
    return Verdict(pool, device, False, f"{device} of {pool} is gone from this host: delete its Pod to get another")
