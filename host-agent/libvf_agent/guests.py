"""Brings what guests say of themselves onto their claims, where the operator reads it."""

from __future__ import annotations

import asyncio
import logging
import time

from libvf_api.guest_report import Guest

from libvf_agent import claim_status
from libvf_agent.cluster import Door
from libvf_agent.errors import AgentError
from libvf_agent.host import Host
from libvf_agent.reports import Reports

log = logging.getLogger("libvf.guests")

WRITE_SECONDS = 15.0


class Guests:
    """What was written of each claim; a claim is written at most every so often, whatever its guest says."""

    def __init__(self, host: Host, door: Door, write_seconds: float = WRITE_SECONDS) -> None:
        self._host = host
        self._door = door
        self._seconds = write_seconds
        self._reports = Reports(host.reports)
        self._said: dict[str, Guest] = {}
        self._written: dict[str, Guest] = {}
        self._tried: dict[str, float] = {}

    async def pass_on(self) -> None:
        """One round; what cannot be written is tried again in a later one."""
        self._said |= self._reports.heard()
        now = time.monotonic()
        for uid, said in list(self._said.items()):
            if said == self._written.get(uid) or now - self._tried.get(uid, float("-inf")) < self._seconds:
                continue
            self._tried[uid] = now
            try:
                await self._write(uid, said)
            except AgentError as error:
                log.warning("what a guest says is not written", extra={"claim": uid, "error": str(error)})

    def forget(self, uid: str) -> None:
        """Its claim was written anew, without what the guest said; or is gone."""
        for known in (self._said, self._written, self._tried):
            known.pop(uid, None)

    def close(self) -> None:
        """Stop listening."""
        self._reports.close()

    async def _write(self, uid: str, said: Guest) -> None:
        entry = await asyncio.to_thread(self._host.journal.get, uid)
        document = await self._door.claim(entry.namespace, entry.name) if entry else None
        before = claim_status.ours(uid, document)
        devices = claim_status.with_guest(before, said)
        if entry is None or not devices:
            return  # Prepare has not told of them yet
        if devices != before:
            await self._door.apply_claim_status(claim_status.patch(entry, devices))
        self._written[uid] = said
