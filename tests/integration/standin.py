"""Where the tests have no node: exec, and nothing else, is carried out here.

It stands between the gateway and the real API server and passes everything on. An exec is asked of the real one first,
whose authorizer and admission judge it; what it only fails to do for want of a kubelet is done by starting the
launcher's own program beside a launcher that runs natively.
"""

import asyncio
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.unit.launcher.test_life import SCRIPT

PROTOCOL = "v5.channel.k8s.io"


class StandIn:
    """`containers` maps a Pod's name to the folder that its launcher has as root."""

    def __init__(self, server: str, authority: Path) -> None:
        self.containers: dict[str, Path] = {}
        self.processes: list[asyncio.subprocess.Process] = []
        self._server = server
        self._authority = authority
        self._session: aiohttp.ClientSession
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serves on the loopback, at `url`."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        runner, port = asyncio.run_coroutine_threadsafe(self._start(), loop).result(10)
        self.url = f"http://127.0.0.1:{port}"
        yield
        asyncio.run_coroutine_threadsafe(self._stop(runner), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    async def _start(self) -> tuple[web.AppRunner, int]:
        trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(self._authority)))
        self._session = aiohttp.ClientSession(self._server, connector=trusting, auto_decompress=False)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, int(runner.addresses[0][1])

    async def _stop(self, runner: web.AppRunner) -> None:
        await runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/exec"):
            return await self._exec(request)
        dropped = {"host", "content-length", "transfer-encoding", "accept-encoding"}
        headers = {key: value for key, value in request.headers.items() if key.lower() not in dropped}
        body = await request.read()
        async with self._session.request(request.method, request.path_qs, headers=headers, data=body) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), headers={"Content-Type": answer.headers["Content-Type"]}
            )

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        authorization = {"Authorization": request.headers["Authorization"]}
        try:
            await self._session.ws_connect(request.path_qs, headers=authorization, protocols=(PROTOCOL,))
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 403:
                return web.Response(status=403)
        socket = web.WebSocketResponse(protocols=(PROTOCOL,))
        await socket.prepare(request)
        root = self.containers[request.path.split("/")[-2]]
        [program, *words] = request.query.getall("command")
        assert program == "libvf-launcher"
        pipe = asyncio.subprocess.PIPE
        argv = [sys.executable, "-c", SCRIPT, str(root), *words]
        process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe)
        self.processes.append(process)
        await _carry(socket, process)
        return socket


async def _carry(socket: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
    """The channels of a process, as kubelet's exec has them; it loses its input when the caller goes."""
    assert process.stdin is not None
    outputs = asyncio.gather(_output(socket, 1, process.stdout), _output(socket, 2, process.stderr))

    async def ended() -> None:
        await outputs
        code = await process.wait()
        end = {"status": "Success"} if code == 0 else {"status": "Failure", "message": f"exit code {code}"}
        await socket.send_bytes(b"\3" + json.dumps(end).encode())
        await socket.close()

    ending = asyncio.create_task(ended())
    async for message in socket:
        channel, data = message.data[0], message.data[1:]
        if channel == 255:
            process.stdin.close()
        elif channel == 0:
            process.stdin.write(data)
            await process.stdin.drain()
    process.stdin.close()
    await asyncio.wait({ending}, timeout=10)


async def _output(socket: web.WebSocketResponse, channel: int, pipe: asyncio.StreamReader | None) -> None:
    assert pipe is not None
    while data := await pipe.read(1 << 15):
        await socket.send_bytes(bytes([channel]) + data)
