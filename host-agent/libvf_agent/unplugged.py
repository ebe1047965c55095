"""Tells claims what became of their USB devices: pulled out, or plugged in anew under another number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from libvf_agent import claim_status, usb
from libvf_agent.cluster import Door
from libvf_agent.errors import AgentError
from libvf_agent.host import Host
from libvf_agent.journal import Entry

log = logging.getLogger("libvf.unplugged")

Lock = Callable[[str], AbstractAsyncContextManager[None]]


class Unplugged:
    """What each claim was told last; `lock` keeps a claim from being prepared meanwhile."""

    def __init__(self, host: Host, door: Door, lock: Lock) -> None:
        self._host = host
        self._door = door
        self._lock = lock
        self._told: dict[str, dict[str, str]] = {}

    async def tell(self) -> None:
        """One round; what cannot be written is tried again in a later one.

        Other claims are not waited for: one of a card may be carved for as long as half a minute.
        """
        entries, _ = await asyncio.to_thread(self._host.journal.readable)
        concerned = [entry.uid for entry in entries if _names(entry)]
        self._told = {uid: told for uid, told in self._told.items() if uid in concerned}
        for uid in concerned:
            try:
                async with self._lock(uid):
                    await self._tell_one(uid)
            except AgentError as error:
                log.warning("what became of a USB device is not written", extra={"claim": uid, "error": str(error)})

    async def _tell_one(self, uid: str) -> None:
        entry = await asyncio.to_thread(self._host.journal.get, uid)
        became = await self._became(entry) if entry else {}
        if entry is None or became == self._told.get(uid, dict.fromkeys(became, "")):
            return
        document = await self._door.claim(entry.namespace, entry.name)
        before = claim_status.ours(uid, document)
        devices = claim_status.with_usb(before, became, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        if devices:
            await self._door.apply_claim_status(claim_status.patch(entry, devices))
            self._told[uid] = became

    async def _became(self, entry: Entry) -> dict[str, str]:
        """By device, empty words where it is as it was."""
        found = await asyncio.to_thread(self._host.pulled_out)
        return {name: found.get(name, "") for name in _names(entry)}


def _names(entry: Entry) -> list[str]:
    return [piece.device for piece in entry.slices if usb.NODE in piece.facts]
