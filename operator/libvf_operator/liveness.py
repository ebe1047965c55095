"""An answer to kubelet's probes: the event loop runs, and with it everything that the operator does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web


@asynccontextmanager
async def answering(endpoint: str) -> AsyncIterator[None]:
    """Serves `endpoint`, such as http://0.0.0.0:8080/healthz, while this is open."""
    place = urlsplit(endpoint)
    app = web.Application()
    app.router.add_get(place.path or "/", _alive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, place.hostname, place.port).start()
        yield
    finally:
        await runner.cleanup()


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive")
