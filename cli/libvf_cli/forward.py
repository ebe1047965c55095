"""A screen on a socket of this machine, for any viewer: each connection is a stream of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from libvf_cli.errors import CannotWrite, CliError
from libvf_cli.streams import Source, pump

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Where:
    """A port of the loopback, 0 for any free one; or the path of a unix socket, which only its owner may use."""

    port: int = 0
    socket: Path | None = None

    def address(self, scheme: str) -> str:
        """As viewers want it: `vnc://127.0.0.1:5901`, `spice+unix:///run/user/1000/desk`."""
        if self.socket:
            return f"{scheme}+unix://{self.socket.absolute()}"
        return f"{scheme}://{HOST}:{self.port}"


class Forward:
    """Listens, and tells who waits beside it why a connection failed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._busy: set[asyncio.Task[None]] = set()
        self._trouble: asyncio.Future[CliError] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def listening(self, where: Where) -> AsyncIterator[Where]:
        """Where it listens then; CannotWrite where the port or the path is taken."""
        try:
            server = await self._server(where)
        except OSError as error:
            at = where.socket or f"port {where.port}"
            raise CannotWrite(f"{at}: {error.strerror or error}: name another one with --port or --socket") from error
        try:
            async with server:
                port = 0 if where.socket else server.sockets[0].getsockname()[1]
                yield Where(port, where.socket)
        finally:
            for task in self._busy:
                task.cancel()
            if where.socket:
                where.socket.unlink(missing_ok=True)

    async def failed(self) -> None:
        """Waits for a connection that fails, and raises why."""
        raise await self._trouble

    async def _server(self, where: Where) -> asyncio.Server:
        if where.socket is None:
            return await asyncio.start_server(self._connected, HOST, where.port)
        if where.socket.exists():
            raise FileExistsError(17, "is there already")
        before = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._connected, where.socket)
        finally:
            os.umask(before)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            await pump(await self._source.open(), reader, writer)
        except CliError as error:
            if not self._trouble.done():
                self._trouble.set_result(error)
        finally:
            writer.close()
            self._busy.discard(task)
