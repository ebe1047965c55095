"""A stand-in of scheduler, host agent and kubelets: what they would write, from a watch of Pods."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from libvf_api.apiserver import ApiError, ApiServer
from libvf_api.names import MACHINE_LABEL

from bench.operator import documents
from bench.operator.documents import Json

CLAIMS = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
PODS = "/api/v1/namespaces/default/pods"
NODES = "/api/v1/nodes"
MANAGER = "bench"
_WATCH_SECONDS = 3000
_AT_ONCE = 16  # requests on their way; more would only wait in the API server


class StandIn:
    """The claims of a Pod are allocated and prepared, it is bound, runs, and is ended when it is deleted."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._answered: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[str] = []

    @classmethod
    @asynccontextmanager
    async def working(cls, server: ApiServer) -> AsyncIterator["StandIn"]:
        """While this is open; what it could not write is an error at the end."""
        found = cls(server)
        watch = asyncio.create_task(found._follow())
        try:
            yield found
        finally:
            watch.cancel()
            await asyncio.gather(watch, *found._tasks, return_exceptions=True)
        if found.failures:
            raise RuntimeError(f"{len(found.failures)} writes failed, the first: {found.failures[0]}")

    async def beat(self, nodes: list[str]) -> None:
        """Kubelets say that their nodes are as they were, each every five minutes, until this is cancelled."""
        while True:
            for name in nodes:
                began = time.monotonic()
                await self._server.merge(f"{NODES}/{name}/status", {"status": documents.node_status()}, MANAGER)
                pause = documents.HEARTBEAT_SECONDS / len(nodes)
                await asyncio.sleep(max(0.0, pause - (time.monotonic() - began)))

    async def _follow(self) -> None:
        query = {"labelSelector": MACHINE_LABEL}
        while True:
            try:
                async for event in self._server.follow(PODS, query, _WATCH_SECONDS):
                    pods = event["object"].get("items") or [] if event["type"] == "LIST" else [event["object"]]
                    for pod in pods:
                        if event["type"] != "DELETED" and (work := self._pod(pod)):
                            self._spawn(work, f"{PODS}/{pod['metadata']['name']}")
            except ApiError:
                await asyncio.sleep(1)

    def _pod(self, pod: Json) -> Awaitable[None] | None:
        if pod["metadata"].get("deletionTimestamp"):
            return self._once(pod, "end", self._end)
        return None if pod["spec"].get("nodeName") else self._once(pod, "run", self._run)

    def _once(self, thing: Json, what: str, work: Callable[[Json], Awaitable[None]]) -> Awaitable[None] | None:
        """Each is done once, however often the object is seen before the answer to it is."""
        key = (thing["metadata"]["uid"], what)
        if key in self._answered:
            return None
        self._answered.add(key)
        return work(thing)

    async def _run(self, pod: Json) -> None:
        name = pod["metadata"]["name"]
        for each in pod["spec"].get("resourceClaims") or ():
            path = f"{CLAIMS}/{each['resourceClaimName']}"
            status = documents.allocated(await self._server.get(path), pod)
            await self._server.merge(f"{path}/status", {"status": status}, MANAGER)
        target = {"apiVersion": "v1", "kind": "Node", "name": documents.node_of(name)}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        await self._server.create(f"{PODS}/{name}/binding", binding, MANAGER)
        await self._server.merge(f"{PODS}/{name}/status", {"status": documents.running(pod)}, MANAGER)

    async def _end(self, pod: Json) -> None:
        """As a kubelet does when nothing of a Pod runs any more."""
        await self._server.delete(f"{PODS}/{pod['metadata']['name']}?gracePeriodSeconds=0", pod["metadata"]["uid"])

    def _spawn(self, work: Awaitable[None], what: str) -> None:
        task = asyncio.create_task(self._done(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _done(self, work: Awaitable[None], what: str) -> None:
        async with self._places:
            try:
                await work
            except ApiError as error:
                if error.status != 404:  # deleted meanwhile
                    self.failures.append(f"{what}: {error}")
