"""The DRA driver between kubelet, the API server and the host: prepare, unprepare, publish.

Policies are read before anything is published or prepared: without them nobody knows what is allowed. A prepare is
retried inside the call, as kubelet asks again only a minute after an error; and it goes on after the call has ended,
to be found done by the next.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from libvf_api import policy_report
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential

from libvf_agent import claim_status, claims, last_policies, policy_status
from libvf_agent.claims import ClaimRef
from libvf_agent.cluster import Door
from libvf_agent.errors import AgentError, ClaimError
from libvf_agent.guests import Guests
from libvf_agent.host import Host
from libvf_agent.journal import Entry
from libvf_agent.metrics import Metrics
from libvf_agent.policies import Policy, Rulebook
from libvf_agent.slices import Json, Node, changes
from libvf_agent.unplugged import Unplugged
from libvf_agent.whereabouts import Whereabouts

log = logging.getLogger("libvf.driver")

CALL_SECONDS = 35.0


class Driver:
    """One node's driver; `changed` is called when what is offered may have changed."""

    def __init__(self, host: Host, door: Door, call_seconds: float = CALL_SECONDS) -> None:
        self.host = host
        self._door = door
        self._seconds = call_seconds
        self.guests = Guests(host, door)
        self._running: dict[str, asyncio.Task[Entry]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.changed = asyncio.Event()
        self.metrics = Metrics()
        self._book: Rulebook | None = None
        self.unplugged = Unplugged(host, door, self._lock)
        self.whereabouts = Whereabouts(host, door, self._lock)

    async def prepare(self, ref: ClaimRef) -> Entry:
        """The claim's devices, carved and told; AgentError with the reason where that fails."""
        task = self._running.get(ref.uid)
        if task is None:
            task = self._running[ref.uid] = asyncio.create_task(self._retried(ref))
            started = time.monotonic()
            task.add_done_callback(lambda done: self._ended(ref, done, time.monotonic() - started))
        try:
            return await asyncio.wait_for(asyncio.shield(task), self._seconds + 5)
        except TimeoutError as error:
            raise ClaimError(f"{ref} is still being carved: it goes on and is asked for again") from error

    async def unprepare(self, ref: ClaimRef) -> None:
        """Everything of the claim given back; also where the claim is gone or was never seen."""
        async with self._lock(ref.uid):
            await asyncio.to_thread(self.host.unprepare, ref.uid)
        self._forget(ref.uid)
        self.changed.set()

    async def publish(self) -> int:
        """Makes the API server show what this host offers and how policies fare here; returns how much was written."""
        meta = (await self._door.node(self.host.node))["metadata"]
        node, book = Node(self.host.node, meta["uid"]), await self._read_policies(meta.get("labels") or {})
        wanted, report = await asyncio.to_thread(self._looked, node, book)
        self.metrics.offered = sum(len(spec.get("devices") or ()) for spec in wanted)
        todo = changes(node, wanted, await self._door.slices(node.name), report)
        for name in todo.delete:
            await self._door.delete_slice(name)
        for body in todo.put:
            await self._door.put_slice(body)
        await self.unplugged.tell()
        return len(todo.put) + len(todo.delete)

    def is_news(self, event: Json) -> bool:
        """Whether an event tells of policies something that the last reading did not know: a status is none."""
        if self._book is None or event["type"] not in ("LIST", "ADDED", "MODIFIED", "DELETED"):
            return True
        known = {policy.name: (policy.uid, policy.generation) for policy in self._book.known}
        if event["type"] == "LIST":
            return known != dict(_version(item) for item in event["object"].get("items") or [])
        name, version = _version(event["object"])
        return name in known if event["type"] == "DELETED" else known.get(name) != version

    async def _read_policies(self, labels: dict[str, str]) -> Rulebook:
        """The policies as they are now; from then on they hold."""
        documents = await self._door.policies()
        kept = last_policies.kept(labels, documents)
        book = kept.book
        if book != self._book:
            _log_policies(documents is not None, book.known)
            await asyncio.to_thread(self.host.keep, kept)
        self._book, self.host.rules = book, book.rules
        return book

    def _looked(self, node: Node, book: Rulebook) -> tuple[list[Json], str]:
        specs, look = self.host.look(node)
        return specs, policy_report.encode(policy_status.report(book, look))

    async def reap(self) -> None:
        """Gives back what belongs to claims that are gone, were made anew or have lost their allocation."""
        for uid in self.host.journal.uids():
            async with self._lock(uid):
                await self._reap_one(uid)

    async def _reap_one(self, uid: str) -> None:
        try:
            entry = self.host.journal.get(uid)
            if entry and not await self._is_claimed(entry):
                log.info("tried again" if entry.is_remainder else "claim gone", extra={"claim": uid})
                await asyncio.to_thread(self.host.unprepare, uid)
                self.changed.set()
        except AgentError as error:
            log.warning("claim not given back", extra={"claim": uid, "error": str(error)})

    async def _is_claimed(self, entry: Entry) -> bool:
        return not entry.is_remainder and _still(entry, await self._door.claim(entry.namespace, entry.name))

    async def _retried(self, ref: ClaimRef) -> Entry:
        attempts = AsyncRetrying(
            retry=retry_if_exception(lambda e: isinstance(e, AgentError) and e.retry),
            wait=wait_exponential(multiplier=0.25, max=5),
            stop=stop_after_delay(self._seconds),
            reraise=True,
        )
        return await attempts(self._prepare, ref)

    async def _prepare(self, ref: ClaimRef) -> Entry:
        async with self._lock(ref.uid):
            document = await self._door.claim(ref.namespace, ref.name)
            if document is None:
                raise ClaimError(f"{ref} does not exist: delete the Pod that waits for it")
            claim = claims.parse(document)
            results = claims.allocated_to_us(claim, ref)
            if self._book is None:
                await self._read_policies((await self._door.node(self.host.node))["metadata"].get("labels") or {})
            entry = await self._carved(claim, results)
            await self._tell(entry, claim_status.carved)
            self._forget(ref.uid)
            return entry

    def _forget(self, uid: str) -> None:
        """What was told of a claim beside its devices: they were told anew, or are gone."""
        self.guests.forget(uid)
        self.whereabouts.forget(uid)

    async def _carved(self, claim: claims.Claim, results: tuple[claims.Result, ...]) -> Entry:
        """Carving on a worker; a failure is told on the claim and then raised."""
        try:
            return await asyncio.to_thread(self.host.prepare, claim, results)
        except AgentError as error:
            reason = str(error)
            await self._tell_failure(claim, results, reason)
            raise

    async def _tell_failure(self, claim: claims.Claim, results: tuple[claims.Result, ...], reason: str) -> None:
        entry = claim_status.entry_of(claim, results)
        try:
            await self._tell(entry, lambda e, now: claim_status.failed(e, reason, now))
        except AgentError as error:
            log.warning("claim status not written", extra={"claim": claim.metadata.uid, "error": str(error)})

    async def _tell(self, entry: Entry, devices: Callable[[Entry, str], list[Json]]) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        await self._door.apply_claim_status(claim_status.patch(entry, devices(entry, now)))

    def _lock(self, uid: str) -> asyncio.Lock:
        return self._locks.setdefault(uid, asyncio.Lock())

    def _ended(self, ref: ClaimRef, task: asyncio.Task[Entry], seconds: float) -> None:
        self._running.pop(ref.uid, None)
        self.changed.set()
        if task.cancelled():
            return
        error = task.exception()
        self.metrics.prepared(seconds, failed=error is not None)
        if error:
            log.warning("not prepared", extra={"claim": ref.uid, "error": str(error)})


def _version(policy: Json) -> tuple[str, tuple[str, int]]:
    meta = policy["metadata"]
    return meta["name"], (meta["uid"], meta["generation"])


def _log_policies(known: bool, policies: tuple[Policy, ...]) -> None:
    if not known:
        log.info("this cluster has no GpuPolicies: the careful rules hold")
    for policy in policies:
        if policy.fault:
            log.error("policy not understood", extra={"policy": policy.name, "error": policy.fault})


def _still(entry: Entry, document: Json | None) -> bool:
    """Whether the claim is the one of the entry and still has its allocation."""
    if document is None:
        return False
    claim = claims.parse(document)
    held = {(piece.pool, piece.device) for piece in entry.slices}
    return claim.metadata.uid == entry.uid and held <= {(r.pool, r.device) for r in claim.allocated}
