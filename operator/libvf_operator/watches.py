"""What the API server tells: a watch for each kind that goes on where it broke, and lists only where it must.

They are no library's: those of kopf keep 15 KB and spend half a millisecond for each object before a handler of ours is
called, and after a gap they list without telling what vanished meanwhile.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from typing import Protocol

from libvf_api.apiserver import ApiError

from libvf_operator.cluster import Page
from libvf_operator.objects import Key, Object, key
from libvf_operator.store import KINDS, Store, Work

log = logging.getLogger("libvf.operator")

_SECONDS = 240  # the server ends a watch after so long: one whose connection died unheard is not waited for any longer
_PAUSE = 1.0
_PAUSE_MOST = 30.0
_FORGOTTEN = 410


class Lists(Protocol):
    """What is needed of the API server."""

    def pages(self, path: str, query: Object) -> AsyncIterator[Page]: ...
    def since(self, path: str, query: Object, version: str, seconds: int) -> AsyncIterator[Object]: ...


class Listener(Protocol):
    """Who is told: the reconciler."""

    store: Store

    def add(self, work: set[Work]) -> None: ...
    def listed(self, kind: str) -> None: ...


class Watch:
    """All objects of one kind, told to the reconciler."""

    def __init__(self, kind: str, cluster: Lists, reconciler: Listener) -> None:
        self._kind, self._source = kind, KINDS[kind]
        self._cluster, self._reconciler = cluster, reconciler
        self._version = ""

    async def run(self) -> None:
        """For ever; what fails is tried again, later each time."""
        pause = _PAUSE
        while True:
            try:
                if not self._version:
                    self._version = await self._list()
                await self._follow()
                pause = _PAUSE
            except ApiError as error:
                if error.status == _FORGOTTEN:
                    self._version = ""
                log.warning("%s: %s", self._kind, error)
                await asyncio.sleep(pause * random.uniform(0.5, 1))
                pause = min(2 * pause, _PAUSE_MOST)

    async def _list(self) -> str:
        """Take all of them, forget what is not among them, and return the version that they are of."""
        places, version = set[Key](), ""
        async for page in self._cluster.pages(self._source.path, self._source.query):
            version = page.version
            for thing in page.things:
                self._take({"apiVersion": self._source.version, "kind": self._kind, **thing})
                places.add(key(thing))
            await asyncio.sleep(0)
        self._reconciler.add(self._reconciler.store.only(self._kind, places, int(version)))
        self._reconciler.listed(self._kind)
        return version

    async def _follow(self) -> None:
        """Take each change, until the server ends the watch."""
        async for event in self._cluster.since(self._source.path, self._source.query, self._version, _SECONDS):
            thing = event["object"]
            if event["type"] != "BOOKMARK":
                self._take(thing, deleted=event["type"] == "DELETED")
            self._version = thing["metadata"]["resourceVersion"]

    def _take(self, thing: Object, deleted: bool = False) -> None:
        self._reconciler.add(self._reconciler.store.put(self._kind, thing, deleted))
