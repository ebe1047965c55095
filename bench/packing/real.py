"""Traces played through the real kube-scheduler, with the agent's driver behind every host."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from libvf_agent.claims import ClaimRef
from libvf_agent.slices import pool_name
from libvf_api.apiserver import ApiServer

from bench.packing.allocator import Given, Model
from bench.packing.ask import Order, asked
from bench.packing.cluster import Scheduler
from bench.packing.host import FakeHost
from bench.packing.play import steps
from bench.packing.traces import Trace
from lab.progress import say

# what the agent has published comes to the scheduler by another watch than the Pods do
_SETTLE_SECONDS = 0.25
_AGAIN = 20


@dataclass
class Played:
    """What became of a trace: who was accepted, and what the agents wrote.

    `surprises` are choices that the model of the scheduler does not allow, in words.
    """

    accepted: set[int] = field(default_factory=set)
    carves: int = 0
    slices: int = 0
    statuses: int = 0
    asked_again: int = 0
    surprises: list[str] = field(default_factory=list)


async def all_played(traces: Sequence[tuple[Trace, Order]], folder: Path, at_once: int = 6) -> list[Played]:
    """All of them, on hosts of their own each; KUBECONFIG says where."""
    server = await ApiServer.connect()
    some, done = asyncio.Semaphore(at_once), itertools.count(1)

    async def one(number: int, trace: Trace, order: Order, scheduler: Scheduler) -> Played:
        async with some:
            found = await _Play(f"t{number}", trace, order, scheduler, folder / str(number)).played()
            say(f"  {next(done)} of {len(traces)} played: {trace.name}, {order.name}")
            return found

    try:
        async with Scheduler.watched(server) as scheduler, asyncio.TaskGroup() as together:
            # the longest first, so that none is alone at the end
            numbers = sorted(range(len(traces)), key=lambda number: len(traces[number][0].requests), reverse=True)
            tasks = {number: together.create_task(one(number, *traces[number], scheduler)) for number in numbers}
            await asyncio.wait(tasks.values())
    finally:
        await server.close()
    return [tasks[number].result() for number in range(len(traces))]


class _Play:
    """One trace."""

    def __init__(self, name: str, trace: Trace, order: Order, scheduler: Scheduler, folder: Path) -> None:
        self._name, self._trace, self._order, self._scheduler = name, trace, order, scheduler
        server, kinds = scheduler.server, trace.fleet.hosts
        self._hosts = [FakeHost(f"{name}-{n}", kinds[n], server, folder / str(n)) for n in range(len(kinds))]
        self._nodes = [host.name for host in self._hosts]
        self._model = Model(trace.fleet)
        self._got: dict[int, tuple[ClaimRef, Given]] = {}
        self._told = Played()

    async def played(self) -> Played:
        """From empty hosts to empty hosts."""
        for host in self._hosts:
            await host.begin()
        for ended, come in steps(self._trace):
            await self._ended([number for number in ended if number in self._got])
            self._model.publish()
            await asyncio.sleep(_SETTLE_SECONDS)
            await self._group(come)
        # what the releases at the end write belongs to the carves before
        await self._ended(list(self._got))
        self._told.carves = sum(host.carves for host in self._hosts)
        self._told.slices = sum(host.writes["slice"] for host in self._hosts)
        self._told.statuses = sum(host.writes["claim status"] for host in self._hosts)
        for host in self._hosts:
            await host.end()
        return self._told

    async def _group(self, come: list[int]) -> None:
        """All of it is asked for before any of it is carved; the scheduler takes Pods in the order of their coming."""
        requests = self._trace.requests
        refs = [await self._scheduler.claim(f"{self._name}-{n}", requests[n], self._order) for n in come]
        for number, ref in zip(come, refs, strict=True):
            await self._scheduler.pod(ref, requests[number], self._order, self._nodes)
        for number, ref in zip(come, refs, strict=True):
            await self._answered(number, ref)
        placed = [self._got[number] for number in come if number in self._got]
        for ref, given in placed:
            await self._hosts[given.host].carve(ref)
        await self._publish({given.host for _, given in placed})

    async def _answered(self, number: int, ref: ClaimRef) -> None:
        wanted = asked(self._trace.requests[number], self._order)
        choices = self._model.choices(wanted)
        place = await self._place(number, ref, bool(choices))
        if place is None:
            if choices:
                self._told.surprises.append(f"{number} was refused, although {choices} would do")
            await self._scheduler.forget(ref)
            return
        given = self._given(*place)
        if given not in choices:
            self._told.surprises.append(f"{number} got {given} and not one of {choices}")
        self._model.take(given, wanted)
        self._got[number] = ref, given
        self._told.accepted.add(number)

    async def _place(self, number: int, ref: ClaimRef, expected: bool) -> tuple[str, str] | None:
        """The scheduler's answer; one that surprises is asked for again, as it may be of older news."""
        place = await self._scheduler.placed(ref)
        for _ in range(_AGAIN):
            if place is not None or not expected:
                break
            self._told.asked_again += 1
            await self._scheduler.withdraw(ref)
            await asyncio.sleep(_SETTLE_SECONDS)
            await self._scheduler.pod(ref, self._trace.requests[number], self._order, self._nodes)
            place = await self._scheduler.placed(ref)
        return place

    async def _ended(self, numbers: list[int]) -> None:
        hosts = {self._got[number][1].host for number in numbers}
        await asyncio.gather(*(self._end(number) for number in numbers))
        await self._publish(hosts)

    async def _publish(self, hosts: set[int]) -> None:
        """Once for all that came or went together, as an agent waits a moment before it looks."""
        await asyncio.gather(*(self._hosts[host].publish() for host in hosts))

    async def _end(self, number: int) -> None:
        ref, given = self._got.pop(number)
        await self._hosts[given.host].release(ref)
        await self._scheduler.forget(ref)
        self._model.release(given, asked(self._trace.requests[number], self._order))

    def _given(self, pool: str, device: str) -> Given:
        """In the words of the model, whose hosts have names of their own."""
        for number, node in enumerate(self._nodes):
            head = pool_name(node, "")
            if pool.startswith(head):
                return Given(number, pool_name(f"n{number}", "") + pool.removeprefix(head), device)
        raise ValueError(f"{pool} is of no host of this trace")
