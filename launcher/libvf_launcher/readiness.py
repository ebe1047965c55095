"""Whether the guest runs: told to kubelet at a port of the Pod, and by a file to whoever looks from inside.

A probe that kubelet asks by HTTP costs two small packets. One by exec is a process that the runtime puts into the
container, which costs more than all that it does there: with many machines it was the largest part of an idle node.
The port tells this and nothing else.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from libvf_launcher.errors import BadMachine
from libvf_launcher.paths import Paths

_WAITS_SECONDS = 5  # who asks before the guest has run hears of it at once, and seldom a no, which is a Warning Event
_READS_SECONDS = 5


class Readiness:
    """Begins with a guest that does not run; what a run before left is taken away."""

    def __init__(self, paths: Paths) -> None:
        self._file = paths.ready
        self._running, self._ran = asyncio.Event(), False
        self.port = paths.readiness_port
        self._file.unlink(missing_ok=True)

    def tell(self, running: bool) -> None:
        """Keep both in step."""
        if running:
            self._file.touch()
            self._ran = True
            self._running.set()
        else:
            self._file.unlink(missing_ok=True)
            self._running.clear()

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Answer while this is entered; raises BadMachine where the port is another's."""
        try:
            listening = _listening(self.port)
        except OSError as error:
            raise BadMachine(f"port {self.port} of the Pod, where kubelet asks for the guest: {error}") from error
        self.port = listening.getsockname()[1]
        server = await asyncio.start_server(self._answer, sock=listening)
        try:
            yield
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """200 while the guest runs, else 503 (RFC 9110); what is asked does not matter."""
        try:
            with contextlib.suppress(TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _READS_SECONDS)
                status = "200 OK" if await self._runs() else "503 Service Unavailable"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
        except ConnectionError:
            pass  # who asked has gone
        finally:
            writer.close()

    async def _runs(self) -> bool:
        if not self._ran:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._running.wait(), _WAITS_SECONDS)
        return self._running.is_set()


def _listening(port: int) -> socket.socket:
    """At all addresses that a Pod may have, of both kinds where its node knows both."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))
