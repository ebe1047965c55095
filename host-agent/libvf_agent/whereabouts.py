"""Brings onto a claim with a cell where its QEMU really is, for the operator to say whether the machine is aligned."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from libvf_api.residence import Residence

from libvf_agent import cell, claim_status
from libvf_agent.cluster import Door
from libvf_agent.errors import AgentError
from libvf_agent.host import Host
from libvf_agent.journal import Entry
from libvf_agent.residence import of_pod
from libvf_agent.settled import Watched

log = logging.getLogger("libvf.whereabouts")

PODS_SECONDS = 300.0


class Whereabouts:
    """What is known of the QEMU of each claim; `lock` gives the one under which a claim is written."""

    def __init__(self, host: Host, door: Door, lock: Callable[[str], asyncio.Lock]) -> None:
        self._host = host
        self._door = door
        self._lock = lock
        self._watched: dict[str, Watched] = {}
        self._pods: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def look(self) -> None:
        """One round; what cannot be written is tried again in a later one."""
        entries = await asyncio.to_thread(self._host.with_cells)
        missing = [entry for entry in entries if entry.uid not in self._watched]
        running = await asyncio.to_thread(self._host.qemus) if missing else {}
        for uid in {*self._watched, *self._pods} - {entry.uid for entry in entries}:
            self.forget(uid)
        for entry in entries:
            try:
                await self._one(entry, running)
            except AgentError as error:
                log.warning("where a machine is is not written", extra={"claim": entry.uid, "error": str(error)})

    def forget(self, uid: str) -> None:
        """Its claim was written anew, without what was seen; or is gone."""
        self._watched.pop(uid, None)
        self._pods.pop(uid, None)

    async def _one(self, entry: Entry, running: dict[int, str]) -> None:
        now = time.monotonic()
        watched = self._watched.get(entry.uid)
        if watched is None:
            pid = of_pod(running, await self._pods_of(entry, now)) if running else None
            if pid is None:
                return
            watched = Watched(pid, now)
        touched = await asyncio.to_thread(self._host.touched, watched.pid)
        if touched is None:
            self._watched.pop(entry.uid, None)  # its launcher starts another, or its Pod is gone
            return
        watched = self._watched[entry.uid] = watched.glanced(touched, now)
        if watched.is_due(now):
            found = await asyncio.to_thread(self._host.residence, watched.pid)
            await self._tell(entry, found)
            self._watched[entry.uid] = watched.looked(now, well=not found.astray(_node(entry)))

    async def _pods_of(self, entry: Entry, now: float) -> tuple[str, ...]:
        """The Pods that the claim is reserved for, asked anew now and then: others may come to share it."""
        asked, pods = self._pods.get(entry.uid, (float("-inf"), ()))
        if not pods or now - asked > PODS_SECONDS:
            pods = claim_status.pods(entry.uid, await self._door.claim(entry.namespace, entry.name))
            self._pods[entry.uid] = (now, pods)
        return pods

    async def _tell(self, entry: Entry, found: Residence) -> None:
        async with self._lock(entry.uid):
            before = claim_status.ours(entry.uid, await self._door.claim(entry.namespace, entry.name))
            devices = claim_status.with_residence(before, found)
            if devices != before:
                await self._door.apply_claim_status(claim_status.patch(entry, devices))


def _node(entry: Entry) -> int:
    """The NUMA node of its cell."""
    return next(int(piece.facts[cell.NUMA]) for piece in entry.slices if cell.is_cell(piece))
