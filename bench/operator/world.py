"""The machines of a run: made, watched until they are settled, changed and deleted."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from libvf_api.apiserver import ApiError, ApiServer

from bench.operator import documents
from bench.operator.documents import Json
from bench.operator.standin import MANAGER, NODES
from lab.progress import Wait, say

MACHINES = "/apis/libvf.io/v1alpha1/namespaces/default/virtualmachines"
_AT_ONCE = 8
_SETTLE_SECONDS = 3600.0
_WATCH_SECONDS = 3000


class World:
    """Who is there and who runs, kept by a watch."""

    def __init__(self, server: ApiServer) -> None:
        self.nodes: list[str] = []
        self._server = server
        self._running: set[str] = set()
        self._seen: dict[str, int] = {}  # the generation that the status of a machine speaks of
        self._news = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def watched(cls, server: ApiServer) -> AsyncIterator["World"]:
        """While this is open."""
        found = cls(server)
        watch = asyncio.create_task(found._follow())
        try:
            yield found
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def grow(self, numbers: range) -> None:
        """Declare these machines, and wait until all of them run."""
        await self.declare(numbers)
        await self.run({documents.name(number) for number in numbers})

    async def declare(self, numbers: Sequence[int]) -> None:
        """What `kubectl apply` does, some at once; the nodes that they are put on come first, as a controller deletes
        each Pod on a node that is not there.
        """
        for name in sorted({documents.node_of(documents.name(number)) for number in numbers} - set(self.nodes)):
            await self._server.create(NODES, documents.node(name), MANAGER)
            await self._server.merge(f"{NODES}/{name}/status", {"status": documents.node_status()}, MANAGER)
            self.nodes.append(name)
        queue = iter(numbers)

        async def work() -> None:
            for number in queue:
                await self._server.create(MACHINES, documents.machine(number), MANAGER)

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def run(self, names: set[str]) -> None:
        """Wait until all of these run, as the operator says."""
        wait = Wait(f"{len(names)} machines to run", _SETTLE_SECONDS)
        while missing := names - self._running:
            wait.tell(f"{len(names) - len(missing)} do")
            if not wait.left:
                raise TimeoutError(f"{len(missing)} of {len(names)} machines never ran, such as {min(missing)}")
            await self._next_news()

    async def delete(self, number: int) -> None:
        """Delete one machine; its children are the garbage collector's."""
        await self._server.delete(f"{MACHINES}/{documents.name(number)}")

    async def lag(self, number: int, cores: int) -> float:
        """Seconds from a change of a machine's spec to a status that speaks of it."""
        name, began = documents.name(number), time.monotonic()
        change = {"spec": {"cpu": {"cores": cores}}}
        changed = await self._server.merge(f"{MACHINES}/{name}", change, MANAGER)
        generation = int(changed["metadata"]["generation"])
        while self._seen.get(name, 0) < generation:
            if time.monotonic() - began > _SETTLE_SECONDS:
                raise TimeoutError(f"the operator never said anything of the change of {name}")
            await self._next_news()
        return time.monotonic() - began

    async def _next_news(self) -> None:
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), 2)
        except TimeoutError:
            return

    async def _follow(self) -> None:
        while True:
            try:
                async for event in self._server.follow(MACHINES, {}, _WATCH_SECONDS):
                    things = event["object"].get("items") or [] if event["type"] == "LIST" else [event["object"]]
                    for thing in things:
                        self._heard(thing, gone=event["type"] == "DELETED")
                    self._news.set()
            except ApiError as error:
                say(f"the watch of machines ended: {error}")
                await asyncio.sleep(1)

    def _heard(self, thing: Json, gone: bool) -> None:
        name, status = thing["metadata"]["name"], thing.get("status") or {}
        if gone:
            self._running.discard(name)
            self._seen.pop(name, None)
            return
        self._seen[name] = int(status.get("observedGeneration") or 0)
        (self._running.add if status.get("ready") else self._running.discard)(name)
