"""A program that runs in a launcher, seen through the API server's exec (protocol v5.channel.k8s.io).

Messages are binary: the number of a channel, then its bytes. Channel 3 says once how the program ended; 255 closes
another one (KEP-4006).
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

_STDIN, _STDOUT, _STDERR, _END, _CLOSE = 0, 1, 2, 3, 255
_MESSAGE = 1 << 15  # what the API server itself sends at once
_LAST_WORDS = 2000


class Execution:
    """Standard input, output and error of a program; it ends when it is closed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._errors = b""
        self._end: dict[str, Any] | None = None

    async def send(self, data: bytes) -> None:
        """Standard input; waits while the program does not read."""
        for start in range(0, len(data), _MESSAGE):
            await self._socket.send_bytes(bytes([_STDIN]) + data[start : start + _MESSAGE])

    async def close_input(self) -> None:
        """Tell the program that nothing more comes."""
        await self._socket.send_bytes(bytes([_CLOSE, _STDIN]))

    async def output(self) -> AsyncIterator[bytes]:
        """Standard output until the program ends; the next piece is read only when it is asked for."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY or len(message.data) < 2:
                continue  # an empty piece opens a channel
            channel, data = message.data[0], message.data[1:]
            if channel == _STDOUT:
                yield data
            elif channel == _STDERR:
                self._errors = (self._errors + data)[-_LAST_WORDS:]
            elif channel == _END:
                self._end = json.loads(data)

    @property
    def failure(self) -> str:
        """Why it failed, in its own last words where it has some; empty where it ended well."""
        if self._end is None:
            return "the connection to the launcher broke"
        if self._end.get("status") == "Success":
            return ""
        words = self._errors.decode(errors="replace").strip()
        return words or str(self._end.get("message") or "the launcher's program failed")

    async def close(self) -> None:
        """End it: its standard input and output are gone."""
        await self._socket.close()


async def run(execution: Execution, limit: int) -> bytes:
    """The whole output of a program that takes no input; ValueError with its words where it failed.

    `limit` is the most that is taken of it, in bytes.
    """
    try:
        await execution.close_input()
        pieces: list[bytes] = []
        async for piece in execution.output():
            pieces.append(piece)
            if sum(map(len, pieces)) > limit:
                raise ValueError(f"it is larger than {limit >> 20} MiB")
    finally:
        await execution.close()
    if execution.failure:
        raise ValueError(execution.failure)
    return b"".join(pieces)
