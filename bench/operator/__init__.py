"""The operator's program against a real API server; a stand-in answers for the scheduler, the agents and the kubelets.

No node runs anything: what is measured is what the operator itself costs, by the kernel's count of its process.
"""

import asyncio
import itertools
import os
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from libvf_api.apiserver import ApiServer

from bench.figures import Figure
from bench.operator import requests, told
from bench.operator.standin import StandIn
from bench.operator.told import AtSize, Churn, Life
from bench.operator.world import World
from bench.process import Usage, cpu_seconds, sampled, usage
from lab.loopback import Api, control_plane, operator
from lab.progress import say, step
from tests.ports import free_port

_QUIET = 0.1  # CPU seconds in a second
_QUIET_SECONDS = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes, and for how long each thing is done, in seconds; in an idle `window` everything is listed again."""

    sizes: tuple[int, ...]
    window: float
    lags: int
    lives: int
    churn: float
    pause: float  # between two replacements of the churn


# LIBVF_BENCH_CHURN_SECONDS=1800 looks longer whether memory stays flat than an hour for all topics allows
_CHURN = float(os.environ.get("LIBVF_BENCH_CHURN_SECONDS", "300"))
_WHOLE = Plan((100, 1_000, 10_000), window=40, lags=20, lives=50, churn=_CHURN, pause=0.5)
_QUICK = Plan((20, 80), window=8, lags=5, lives=10, churn=10, pause=0.5)


def run(quick: bool) -> Iterable[Figure]:
    """CPU, memory, requests and lag of the operator, at each size."""
    with tempfile.TemporaryDirectory(prefix="bench-operator-") as name:
        folder = Path(name)
        with control_plane(folder, schedules=False) as api:
            yield from asyncio.run(_measured(api, folder, _QUICK if quick else _WHOLE))


async def _measured(api: Api, folder: Path, plan: Plan) -> list[Figure]:
    os.environ["KUBECONFIG"] = str(api.kubeconfig)
    server = await ApiServer.connect()
    try:
        async with StandIn.working(server) as standin, World.watched(server) as world:
            run = _Run(api, folder, plan, standin, world)
            sizes = [await run.at_size(before, size) for before, size in itertools.pairwise((0, *plan.sizes))]
            life = await run.lives()
            return list(told.figures(sizes, life, await run.churn()))
    finally:
        await server.close()


class _Run:
    """One run; each measurement begins with an operator that has just been started."""

    def __init__(self, api: Api, folder: Path, plan: Plan, standin: StandIn, world: World) -> None:
        self._api, self._folder, self._plan = api, folder, plan
        self._standin, self._world = standin, world
        self._empty = Usage(0.0, 0, 0)

    async def at_size(self, before: int, size: int) -> AtSize:
        """Grow to so many machines, and look at an operator that is started beside them."""
        if not before:
            self._empty = await self._without_machines()
        async with self._operator() as pid:
            began = cpu_seconds(pid)
            with step(f"{size - before:,} machines come into being"):
                await self._world.grow(range(before, size))
                await _quiet(pid)
            birth = cpu_seconds(pid) - began
        async with self._operator(LIBVF_RESYNC_SECONDS=str(self._plan.window)) as pid:
            now = usage(pid)
            lags = [await self._world.lag(number, 3 + before % 2) for number in range(self._plan.lags)]
            await _quiet(pid)
            idle, sweep = await self._idle(pid)
        settle, rss, pss = now.cpu - self._empty.cpu, now.rss - self._empty.rss, now.pss - self._empty.pss
        found = AtSize(size, size - before, birth, settle, rss, pss, idle, sweep, tuple(lags))
        say(f"  {found}")
        return found

    async def _without_machines(self) -> Usage:
        """The second start: the first one compiles."""
        async with self._operator():
            pass
        async with self._operator() as pid:
            return usage(pid)

    async def lives(self) -> Life:
        """Some machines made and deleted again, each request of the operator counted."""
        first = self._plan.sizes[-1]
        numbers = range(first, first + self._plan.lives)
        async with self._operator() as pid:
            since = requests.now()
            with step(f"{len(numbers)} whole lives"):
                await self._world.grow(numbers)
                for number in numbers:
                    await self._world.delete(number)
                await _quiet(pid)
            return Life(len(numbers), requests.counted(requests.log(self._folder), since))

    async def churn(self) -> Churn:
        """One machine after the other is deleted and a new one made; now and then one is changed."""
        largest, plan = self._plan.sizes[-1], self._plan
        clock, lags, replaced = asyncio.get_running_loop().time, list[float](), 0
        async with self._operator() as pid:
            with step(f"a churn of {plan.churn:.0f} s"), sampled(pid, 2.0) as samples:
                end = clock() + plan.churn
                while clock() < end:
                    await self._world.delete(plan.lags + replaced)
                    await self._world.declare([largest + plan.lives + replaced])
                    replaced += 1
                    if replaced % 10 == 0:
                        lags.append(await self._world.lag(replaced // 10 % plan.lags, 4 + replaced // 10 % 7))
                    await asyncio.sleep(plan.pause)
        return Churn(plan.churn, replaced, tuple(each.rss for each in samples.usages), tuple(lags))

    async def _idle(self, pid: int) -> tuple[float, float]:
        """The share of one core while nothing happens but that kubelets tell of their nodes, and the CPU seconds of
        a sweep over everything, of which one or two fall into the window.
        """
        beats, window = asyncio.create_task(self._standin.beat(self._world.nodes)), self._plan.window
        try:
            with step(f"idle for {window:.0f} s"), sampled(pid, 1.0) as samples:
                await asyncio.sleep(window)
            seconds = [after.cpu - before.cpu for before, after in itertools.pairwise(samples.usages)]
            busy = [each >= _QUIET for each in seconds]
            sweeps = sum(now and not before for before, now in itertools.pairwise([False, *busy]))
            swept = sum(itertools.compress(seconds, busy))
            return (sum(seconds) - swept) / window, swept / max(1, sweeps)
        finally:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)

    @asynccontextmanager
    async def _operator(self, **settings: str) -> AsyncIterator[int]:
        """The operator's process id, once it has looked at everything."""
        own = self._folder / "operator"
        own.mkdir(exist_ok=True)
        with operator(self._api, own, free_port(), **settings) as process:
            await asyncio.sleep(5)  # imports and connects
            await _quiet(process.pid)
            yield process.pid


async def _quiet(pid: int) -> None:
    """Wait until the process does next to nothing for some seconds on end."""
    still, before = 0, cpu_seconds(pid)
    while still < _QUIET_SECONDS:
        await asyncio.sleep(1)
        now = cpu_seconds(pid)
        still = still + 1 if now - before < _QUIET else 0
        before = now
