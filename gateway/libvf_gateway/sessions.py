"""Those who look at VMs through this gateway: how many at once, their bytes in both directions, and their end."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import ClientError, WSCloseCode, WSMsgType, web

from libvf_gateway.execution import Execution
from libvf_gateway.refusal import Refusal

log = logging.getLogger("libvf.gateway")

_REASON_BYTES = 123  # of a close frame (RFC 6455, 5.5)


@dataclass(slots=True)
class Sessions:
    """Who looks now; each is a process in a launcher and a connection to the API server, so there is a most of both.

    A SPICE viewer opens one for each of its channels, which are up to a dozen.
    """

    most: int = 64
    most_of_one: int = 24
    _now: Counter[tuple[str, str]] = field(default_factory=Counter)
    viewers: set[web.WebSocketResponse] = field(default_factory=set)

    @contextmanager
    def one(self, namespace: str, name: str, who: str, what: str) -> Iterator[None]:
        """A place for one more; raises Refusal 429 where there is none."""
        place = (namespace, name)
        if self._now.total() >= self.most:
            raise Refusal(429, f"this gateway serves {self.most} sessions already: end one, or add a replica")
        if self._now[place] >= self.most_of_one:
            raise Refusal(429, f"{name} has {self.most_of_one} sessions already: end one of them")
        self._now[place] += 1
        began = time.monotonic()
        log.info("%s: %s of %s/%s begins", who, what, namespace, name)
        try:
            yield
        finally:
            self._now[place] -= 1
            log.info("%s: %s of %s/%s ends after %.0f s", who, what, namespace, name, time.monotonic() - began)

    async def relay(self, viewer: web.WebSocketResponse, inside: Execution) -> None:
        """Bytes both ways until either side ends; each waits for the other, so nothing piles up here."""
        self.viewers.add(viewer)
        ways = {asyncio.create_task(_inwards(viewer, inside)), asyncio.create_task(_outwards(viewer, inside))}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            await inside.close()
            self.viewers.discard(viewer)

    async def end(self) -> None:
        """Tell all who look that this gateway ends; another one has place for them."""
        for viewer in list(self.viewers):
            await _close(viewer, WSCloseCode.SERVICE_RESTART, "the gateway is restarted: connect again")


async def _inwards(viewer: web.WebSocketResponse, inside: Execution) -> None:
    with suppress(ClientError, ConnectionError):
        async for message in viewer:
            if message.type is WSMsgType.BINARY:
                await inside.send(message.data)
            elif message.type is WSMsgType.TEXT:
                await inside.send(message.data.encode())


async def _outwards(viewer: web.WebSocketResponse, inside: Execution) -> None:
    with suppress(ClientError, ConnectionError):
        async for data in inside.output():
            await viewer.send_bytes(data)
    if failure := inside.failure:
        await _close(viewer, WSCloseCode.INTERNAL_ERROR, failure)
    else:
        await _close(viewer, WSCloseCode.OK, "the machine has ended it")


async def _close(viewer: web.WebSocketResponse, code: WSCloseCode, reason: str) -> None:
    cut = reason.encode()[:_REASON_BYTES].decode(errors="ignore").encode()
    with suppress(ClientError, ConnectionError):
        await viewer.close(code=code, message=cut)
