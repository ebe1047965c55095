"""Whether the devices that were handed out are still there."""

from __future__ import annotations

from dataclasses import dataclass

from libvf_agent import usb
from libvf_agent.host import Host
from libvf_agent.journal import Phase
from libvf_agent.slices import pool_name


@dataclass(frozen=True, slots=True)
class Verdict:
    """One device in use; `message` says what and the cure where it is not healthy."""

    pool: str
    device: str
    healthy: bool
    message: str = ""


def verdicts(host: Host) -> list[Verdict]:
    """All devices of completed claims."""
    pulled_out, usb_pool = host.pulled_out(), pool_name(host.node, usb.KIND)
    lost = {(piece.pool, piece.device) for _, piece in host.lost()}
    entries = [entry for entry in host.journal.readable()[0] if entry.phase is Phase.COMPLETED]
    pieces = [piece for entry in entries for piece in entry.slices]
    told = [_verdict(s.pool, s.device, (s.pool, s.device) in lost) for s in pieces if s.pool != usb_pool]
    return [*told, *(_of_usb(s.pool, s.device, pulled_out.get(s.device, "")) for s in pieces if s.pool == usb_pool)]


def _of_usb(pool: str, device: str, became: str) -> Verdict:
    return Verdict(pool, device, not became, f"{device} of {pool} {became}" if became else "")


def _verdict(pool: str, device: str, lost: bool) -> Verdict:
    if not lost:
        return Verdict(pool, device, True)
    return Verdict(pool, device, False, f"{device} of {pool} is gone from this host: delete its Pod to get another")
