"""How many look at once, and what each is told: a viewer and a program, both real, joined by the relay."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import WSCloseCode, web
from aiohttp.test_utils import TestServer
from libvf_gateway import execution
from libvf_gateway.execution import Execution
from libvf_gateway.refusal import Refusal
from libvf_gateway.sessions import Sessions

SUCCESS = b"\3" + json.dumps({"status": "Success"}).encode()
Program = Callable[[web.WebSocketResponse], Awaitable[None]]


@dataclass
class Joined:
    """A viewer's connection through the relay, and the relay's sessions."""

    viewer: aiohttp.ClientWebSocketResponse
    sessions: Sessions


@pytest.fixture
async def joined() -> AsyncIterator[Callable[[Program], Awaitable[Joined]]]:
    """A viewer of a program, which speaks exec's channels as the API server does."""
    servers: list[TestServer] = []
    client = aiohttp.ClientSession()
    sessions = Sessions()

    async def join(program: Program) -> Joined:
        async def inside(request: web.Request) -> web.StreamResponse:
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await program(socket)
            return socket

        async def outside(request: web.Request) -> web.StreamResponse:
            viewer = web.WebSocketResponse()
            await viewer.prepare(request)
            await sessions.relay(viewer, Execution(await client.ws_connect(servers[0].make_url("/inside"))))
            return viewer

        app = web.Application()
        app.router.add_get("/inside", inside)
        app.router.add_get("/outside", outside)
        servers.append(TestServer(app))
        await servers[0].start_server()
        return Joined(await client.ws_connect(servers[0].make_url("/outside")), sessions)

    yield join
    await client.close()
    for server in servers:
        await server.close()


async def test_bytes_go_both_ways_and_the_end_has_a_reason(
    joined: Callable[[Program], Awaitable[Joined]],
) -> None:
    async def echo(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\1")  # how a channel is opened
        message = await socket.receive_bytes()
        assert message[:1] == b"\0"
        await socket.send_bytes(b"\1" + message[1:])
        await socket.send_bytes(SUCCESS)
        await socket.close()

    session = await joined(echo)
    await session.viewer.send_bytes(b"\x00\xff raw")
    assert await session.viewer.receive_bytes() == b"\x00\xff raw"
    end = await session.viewer.receive()
    assert (end.data, end.extra) == (WSCloseCode.OK, "the machine has ended it")


async def test_the_programs_last_words_are_the_reason(joined: Callable[[Program], Awaitable[Joined]]) -> None:
    async def fail(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\2serial: the console is in use: end the other session first\n")
        await socket.send_bytes(b"\3" + json.dumps({"status": "Failure", "message": "exit code 1"}).encode())
        await socket.close()

    end = await (await joined(fail)).viewer.receive()
    assert (end.data, end.extra) == (1011, "serial: the console is in use: end the other session first")


async def test_what_breaks_is_told_as_broken(joined: Callable[[Program], Awaitable[Joined]]) -> None:
    async def vanish(socket: web.WebSocketResponse) -> None:
        await socket.close()

    end = await (await joined(vanish)).viewer.receive()
    assert (end.data, end.extra) == (1011, "the connection to the launcher broke")


async def test_a_viewer_that_does_not_read_makes_the_program_wait(
    joined: Callable[[Program], Awaitable[Joined]],
) -> None:
    sent = 0

    async def flood(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        while True:
            await socket.send_bytes(b"\1" + bytes(1 << 15))
            sent += 1 << 15

    session = await joined(flood)
    before = -1
    while sent != before:  # until nothing more goes
        before = sent
        await asyncio.sleep(0.7)
    assert sent < 32 << 20  # what sockets hold by themselves
    await session.viewer.receive_bytes()
    for _ in range(2000):
        await session.viewer.receive_bytes()
    assert sent > before


async def test_a_gateway_that_ends_says_so(joined: Callable[[Program], Awaitable[Joined]]) -> None:
    async def wait(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"\1RFB")
        await socket.receive()

    session = await joined(wait)
    assert await session.viewer.receive_bytes() == b"RFB"
    ending = asyncio.create_task(session.sessions.end())
    end = await session.viewer.receive()
    assert (end.data, end.extra) == (1012, "the gateway is restarted: connect again")
    await ending


def test_there_is_a_most_for_the_gateway_and_for_one_machine() -> None:
    sessions = Sessions(most=3, most_of_one=2)
    with sessions.one("n", "a", "jane", "vnc"), sessions.one("n", "a", "jane", "vnc"):
        with (
            pytest.raises(Refusal, match="a has 2 sessions already: end one of them") as refusal,
            sessions.one("n", "a", "joe", "vnc"),
        ):
            pass
        assert refusal.value.status == 429
        with sessions.one("n", "b", "joe", "vnc"), pytest.raises(Refusal, match="serves 3 sessions already"):
            sessions.one("m", "c", "joe", "vnc").__enter__()
    with sessions.one("n", "a", "jane", "vnc"):
        pass


async def test_an_output_that_is_too_large_is_not_taken(joined: Callable[[Program], Awaitable[Joined]]) -> None:
    async def large(socket: web.WebSocketResponse) -> None:
        assert await socket.receive_bytes() == b"\xff\0"  # no input comes
        for _ in range(100):
            await socket.send_bytes(b"\1" + bytes(1 << 15))

    session = await joined(large)
    server = session.viewer._response.url.with_path("/inside")
    async with aiohttp.ClientSession() as client:
        with pytest.raises(ValueError, match="larger than 1 MiB"):
            await execution.run(Execution(await client.ws_connect(server)), 1 << 20)
