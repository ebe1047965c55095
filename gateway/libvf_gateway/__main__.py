"""`python -m libvf_gateway`: serve until told to end."""

import asyncio
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from libvf_api.apiserver import ApiError

from libvf_gateway import keeper
from libvf_gateway.cluster import Cluster
from libvf_gateway.listener import Listener, Trust
from libvf_gateway.refusal import Refusal
from libvf_gateway.server import Server
from libvf_gateway.sessions import log

_LOOK_AGAIN = 300  # seconds: a certificate runs out, an authority is replaced
_RETRY = 3


async def serve() -> None:
    """Until SIGTERM: be up with the certificate that is kept, and believe the API server that is."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    cluster = await Cluster.connect()
    origins = tuple(filter(None, os.environ.get("LIBVF_ORIGINS", "").split(",")))
    server = Server(cluster, Path(os.environ.get("LIBVF_NOVNC", "/usr/share/novnc")), origins)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=5)
    await runner.setup()
    listener = Listener(runner, os.environ.get("LIBVF_ADDRESS", "0.0.0.0"), int(os.environ.get("LIBVF_PORT", "8443")))
    while not told.is_set():
        again = await _settle(cluster, server, listener)
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), again)
    await runner.cleanup()
    await cluster.close()


async def _settle(cluster: Cluster, server: Server, listener: Listener) -> float:
    """Be up to date; returns the seconds until the next look."""
    try:
        serving, front_proxy = await keeper.settle(cluster), await cluster.front_proxy()
    except (ApiError, Refusal) as error:
        log.warning("%s", error)
        return _RETRY
    server.front_proxy = front_proxy
    await listener.listen(Trust(serving, front_proxy))
    return _LOOK_AGAIN


def main() -> None:
    """Run it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve())


if __name__ == "__main__":
    main()
