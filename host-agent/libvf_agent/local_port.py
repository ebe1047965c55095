"""A port on 127.0.0.1 for kubelet's probes and for metrics: enough of HTTP for GET, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

ASK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered at a path, made anew each time."""

    content: Callable[[], Awaitable[str]]
    type: str = "text/plain"


@asynccontextmanager
async def serving(port: int, pages: Mapping[str, Page]) -> AsyncIterator[None]:
    """Serves the pages by path until the end of the block."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # whoever asks nothing, or hangs up, gets nothing
        with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ASK_SECONDS)
            writer.write(await _answer(request, pages))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def _answer(request: bytes, pages: Mapping[str, Page]) -> bytes:
    _, _, rest = request.partition(b" ")
    page = pages.get(rest.split()[0].partition(b"?")[0].decode(errors="replace") if rest.split() else "")
    if page is None:
        return _response("404 Not Found", "text/plain", "".join(f"{path}\n" for path in pages))
    try:
        return _response("200 OK", page.type, await page.content())
    except Exception as error:
        return _response("500 Internal Server Error", "text/plain", f"{error}\n")


def _response(status: str, kind: str, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
