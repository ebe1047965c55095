"""The port for probes and metrics."""

import asyncio

from libvf_agent.local_port import Page, serving

PORT = 18470


async def asked(request: bytes) -> tuple[str, str]:
    """The status line and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(request)
    writer.write_eof()
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).decode().partition("\r\n\r\n")
    writer.close()
    return head.split("\r\n")[0], body


async def well() -> str:
    return "ok\n"


async def broken() -> str:
    raise ValueError("no such number")


PAGES = {"/healthz": Page(well), "/metrics": Page(broken)}


async def test_a_page_is_found_by_its_path_whatever_the_query() -> None:
    async with serving(PORT, PAGES):
        assert await asked(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == ("HTTP/1.1 200 OK", "ok\n")
        assert await asked(b"GET /healthz?verbose HTTP/1.1\r\n\r\n") == ("HTTP/1.1 200 OK", "ok\n")
        assert (await asked(b"GET /other HTTP/1.1\r\n\r\n"))[0] == "HTTP/1.1 404 Not Found"


async def test_a_page_that_fails_does_not_end_the_port() -> None:
    async with serving(PORT, PAGES):
        status, body = await asked(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert (status, body) == ("HTTP/1.1 500 Internal Server Error", "no such number\n")
        assert (await asked(b"GET /healthz HTTP/1.1\r\n\r\n"))[0] == "HTTP/1.1 200 OK"


async def test_whoever_hangs_up_or_talks_nonsense_is_let_go() -> None:
    async with serving(PORT, PAGES):
        assert await asked(b"GET /heal") == ("", "")
        assert (await asked(b"\r\n\r\n"))[0] == "HTTP/1.1 404 Not Found"
        assert await asked(b"x" * 200_000 + b"\r\n\r\n") == ("", "")
        assert (await asked(b"GET /healthz HTTP/1.1\r\n\r\n"))[0] == "HTTP/1.1 200 OK"
