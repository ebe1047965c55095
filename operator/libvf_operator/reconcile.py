"""From state to state: one object at a time, retried until it holds, and all of them again now and then."""

import asyncio
import itertools
import json
import logging
import time
from dataclasses import replace

from libvf_api import names
from libvf_api.apiserver import ApiError

from libvf_operator import (
    alignment,
    explain,
    last_run,
    machine,
    machine_status,
    nics,
    numa,
    partition,
    pod,
    policy,
    rooms,
    vacancy,
)
from libvf_operator import claim as claims
from libvf_operator.cluster import Cluster
from libvf_operator.machine import Observed
from libvf_operator.objects import Key, Object, condition, deleting, key, owned_by
from libvf_operator.published import Published
from libvf_operator.status import transitions
from libvf_operator.store import KINDS, Store, Work

log = logging.getLogger("libvf.operator")

RESYNC_SECONDS = 600.0
# after a start kopf lists each kind at a time of its own, late on a busy host: what went between the first sweep and
# that list is told by nobody
_EARLY_SECONDS = (20.0, 60.0, 180.0)
_WARNINGS = frozenset({*machine_status.STALLED, "InstallFailed", alignment.ASTRAY})
# conditions beside Ready that are worth an Event
_TOLD = {
    *(("RestartRequired", "SpecChanged"), ("Installed", "Installed"), ("Installed", "InstallFailed")),
    *((alignment.CONDITION, reason) for reason in alignment.WITHOUT),
}
_WAITING_AGAIN = 10.0  # seconds: why something waits changes without any object of ours changing
_RETRY_MOST = 15.0  # seconds: a quota or an admission rule is lifted without an event that we see
# a sweep over ten thousand machines takes ten seconds, and a change of one of them does not wait for its end
_NEWS, _SWEEP = 0, 1
_SLICES_FRESH = 3.0  # seconds: many machines that wait together are explained from one list
_SLICES_REST = 20.0  # times what it took to read them: explaining must not be what the operator is busy with


class Reconciler:
    """A queue of objects to look at, each at most once at a time."""

    def __init__(self, cluster: Cluster, settings: pod.Settings) -> None:
        self.store = Store()
        self._cluster = cluster
        self._settings = settings
        self._queue: asyncio.PriorityQueue[tuple[int, int, Work]] = asyncio.PriorityQueue()
        self._queued: dict[Work, int] = {}  # with how soon
        self._turns = itertools.count()
        self._failures: dict[Work, int] = {}
        self._timers: dict[Work, asyncio.TimerHandle] = {}
        self._listed = asyncio.Event()
        self._slices, self._stale = Published([]), float("-inf")
        self._reports: tuple[float, list[policy.NodeReport]] = (float("-inf"), [])

    def add(self, work: set[Work], soon: int = _NEWS) -> None:
        """Look at these; `soon` is _NEWS, or _SWEEP for what comes after all news."""
        for item in work:
            if soon < self._queued.get(item, _SWEEP + 1):
                self._queued[item] = soon
                self._queue.put_nowait((soon, next(self._turns), item))

    async def run(self) -> None:
        """Work through the queue for ever; what fails comes again, later each time.

        Nothing is decided before everything was seen once: the Pod that has a disk may come after the machine that
        wants it.
        """
        await self._listed.wait()
        while True:
            soon, _, item = await self._queue.get()
            if self._queued.get(item) != soon:
                continue  # there was news of it, and it was looked at then
            del self._queued[item]
            try:
                await self._one(item)
                self._failures.pop(item, None)
            except Exception as error:
                tries = self._failures[item] = self._failures.get(item, 0) + 1
                unforeseen = not isinstance(error, ApiError)
                log.warning("%s %s/%s: %s", item[0], *item[1], error, exc_info=unforeseen)
                self._later(item, min(0.5 * 2**tries, _RETRY_MOST))

    async def resync(self, seconds: float) -> None:
        """List everything now and then: a watch that was interrupted never tells what vanished meanwhile."""
        pauses = itertools.chain(_EARLY_SECONDS, itertools.repeat(seconds))
        while True:
            try:
                for kind, path in KINDS.items():
                    await self._sweep(kind, path)
            except ApiError as error:
                log.warning("resync: %s", error)
                await asyncio.sleep(5)
                continue
            self._listed.set()
            await asyncio.sleep(min(next(pauses), seconds))

    async def _sweep(self, kind: str, path: str) -> None:
        there, at = set[Key](), 0
        async for page in self._cluster.pages(path):
            at = at or page.version
            there |= {item.place for item in page.items}
            self.add({work for item in page.items for work in self.store.listed(kind, item)}, _SWEEP)
        self.add(self.store.forget_others(kind, there, at), _SWEEP)

    async def _one(self, item: Work) -> None:
        kind, place = item
        thing = self.store.get(kind, place)
        if thing is None or deleting(thing):
            return  # its children are the garbage collector's
        match kind:
            case "VirtualMachine":
                await self._machine(thing)
            case "GpuPolicy":
                await self._policy(thing)
            case _:
                await self._partition(thing)

    async def _machine(self, thing: Object) -> None:
        seen = self.store.observed(thing)
        wanted = machine.desired(thing, seen, self._settings)
        refused = await self._carry_out(thing, wanted)
        if wanted.create and not refused and ("VirtualMachine", key(thing)) in self._queued:
            return  # what was just made is news to this machine: the look that follows says all of it at once
        if wanted != machine.Desired([], []):
            seen = self.store.observed(thing)
        words = await self._why(thing, seen)
        seen = replace(seen, waiting=words, refused=refused, fallback=await self._instead(thing, seen))
        await self._settle(thing, machine_status.status(thing, seen))
        if seen.waiting or refused or seen.fallback:
            self._later(("VirtualMachine", key(thing)), _WAITING_AGAIN)

    async def _carry_out(self, owner: Object, wanted: machine.Desired) -> str:
        """Create, change and delete; returns what the API server refused and why, which somebody has to mend."""
        for gone in wanted.delete:
            await self._cluster.delete(gone)
        for part in wanted.change:
            try:
                self.add(self.store.put(part["kind"], await self._cluster.change(part)))
            except ApiError as error:
                if error.status not in (400, 403, 422):
                    raise
                return f"the API server refused {part['kind']} {part['metadata']['name']}: {error}"
        for child in wanted.create:
            try:
                there = await self._cluster.create(child)
            except ApiError as error:
                if error.status in (400, 403, 422):
                    return f"the API server refused {child['kind']} {child['metadata']['name']}: {error}"
                raise
            if not owned_by(there, owner):
                return f"{child['kind']} {child['metadata']['name']} was made by somebody else: delete or rename it"
            self.add(self.store.put(there["kind"], there))
        return ""

    async def _partition(self, thing: Object) -> None:
        place = key(thing)
        refused = ""
        if self.store.get("ResourceClaim", place) is None:
            refused = await self._carry_out(thing, machine.Desired([claims.for_partition(thing)], []))
            if not refused and ("GpuPartition", place) in self._queued:
                return
        claim, consumer = self.store.get("ResourceClaim", place), self.store.consumer(thing)
        waiting = refused
        if verdict := self.store.verdict(thing):
            waiting = waiting or await self._explain(thing["spec"], verdict)
        if waiting:
            self._later(("GpuPartition", place), _WAITING_AGAIN)
        await self._settle(thing, partition.status(thing, claim, consumer, waiting))

    async def _policy(self, thing: Object) -> None:
        status = policy.status(thing, await self._reported(), self.store.user)
        await self._settle(thing, status)
        self._later(("GpuPolicy", key(thing)), policy.look_again(status))

    async def _why(self, thing: Object, seen: Observed) -> str:
        """Why the VM's Pod cannot be scheduled; empty where it is, or where the scheduler has not said so."""
        scheduled = condition(seen.pod, "PodScheduled")
        if scheduled.get("status") != "False":
            return ""
        if thing["spec"].get("nics") and (words := await self._no_nic(thing)):
            return words
        for gpu in thing["spec"].get("gpus", []):
            name = pod.partition_of(thing, gpu)
            if name in seen.partitions and not claims.results(seen.claims.get(name)):
                return await self._explain(seen.partitions[name]["spec"], scheduled.get("message", ""))
        if words := await self._no_cell(thing, seen):
            return words
        words = scheduled.get("message") or "waiting for the scheduler"
        if claims.results(seen.claims.get(claims.kvm_name(thing))):
            return str(words)
        published = (await self._published()).slices
        asked = [one["kind"] for one in pod.launch_document(thing)["devices"]]  # of nics more was said above
        usb = explain.why_no_usb([one["device"] for one in thing["spec"].get("usb") or ()], published)
        return explain.why_no_kvm(published) or explain.why_none_of(asked, published) or usb or str(words)

    async def _no_cell(self, thing: Object, seen: Observed) -> str:
        """Why a cell without slices waits: one with slices is explained with them."""
        name = alignment.claim_name(thing)
        if name is None or pod.attached(thing) or claims.results(seen.claims.get(name)):
            return ""
        return rooms.why(numa.cell(thing["spec"]), None, await self._published(), self.store.allocated)

    async def _no_nic(self, thing: Object) -> str:
        return nics.why_none(thing, (await self._published()).slices, self.store.allocated.held)

    async def _instead(self, thing: Object, seen: Observed) -> str:
        """Why a VM has a virtual GPU, and whether a restart would end that; empty where it has slices."""
        told = []
        for gpu in thing["spec"].get("gpus", []):
            name = pod.partition_of(thing, gpu)
            if name in seen.partitions and claims.fell_back(seen.claims.get(name)):
                words = await self._vacant(seen.partitions[name]["spec"])
                told.append(f"{gpu['name']} is a virtio-gpu: {words}")
        return "; ".join(told)

    async def _vacant(self, spec: Object) -> str:
        found, asked = await self._published(), f"instead {json.dumps(spec, sort_keys=True)}"
        return found.once(asked, lambda: vacancy.instead(spec, found, self.store.allocated))

    async def _explain(self, spec: Object, scheduler: str) -> str:
        found, asked = await self._published(), f"why {json.dumps(spec, sort_keys=True)} {scheduler}"
        return found.once(asked, lambda: explain.why(spec, found, self.store.allocated, scheduler))

    async def _published(self) -> Published:
        """All ResourceSlices, some seconds old: the longer reading them takes, the less often it is done."""
        if time.monotonic() > self._stale:
            began = time.monotonic()
            slices, _ = await self._cluster.listed("/apis/resource.k8s.io/v1/resourceslices")
            self._slices, now = Published(slices), time.monotonic()
            self._stale = now + max(_SLICES_FRESH, _SLICES_REST * (now - began))
        return self._slices

    async def _reported(self) -> list[policy.NodeReport]:
        """What agents say of policies, at most a moment old; it is carried by one ResourceSlice a node."""
        read, reports = self._reports
        if time.monotonic() - read > policy.FRESH * 0.75:
            query = f"labelSelector={names.REPORT_LABEL}%3D{names.REPORT}"
            slices, _ = await self._cluster.listed(f"/apis/resource.k8s.io/v1/resourceslices?{query}")
            reports = policy.reports(slices)
            self._reports = (time.monotonic(), reports)
        return reports

    async def _settle(self, thing: Object, status: Object) -> None:
        """Write the status if it differs, and tell what changed."""
        if _same(thing.get("status") or {}, status):
            return
        written = await self._cluster.apply_status(thing, status)
        for change in transitions(thing, status["conditions"]):
            if change["type"] == "Ready" or (change["type"], change["reason"]) in _TOLD:
                kind = "Warning" if change["reason"] in _WARNINGS else "Normal"
                await self._cluster.event(thing, kind, change["reason"], change["message"] or change["type"])
        if ended := last_run.event(thing, status):
            await self._cluster.event(thing, *ended)
        self.add(self.store.put(thing["kind"], written))

    def _later(self, item: Work, seconds: float) -> None:
        """Instead of any time that was set for it before."""
        if timer := self._timers.pop(item, None):
            timer.cancel()
        self._timers[item] = asyncio.get_running_loop().call_later(seconds, self._due, item)

    def _due(self, item: Work) -> None:
        self._timers.pop(item, None)
        self.add({item})


def _same(before: Object, after: Object) -> bool:
    """Equal but for the order of conditions, which the API server keeps as it likes."""

    def sortable(status: Object) -> Object:
        return {**status, "conditions": sorted(status.get("conditions") or [], key=lambda c: str(c["type"]))}

    return sortable(before) == sortable(after)
