"""The raw bytes of a VM's screen or console, by the gateway, else by exec in its Pod; both through kubectl.

The gateway is reached through `kubectl proxy` on a unix socket in a folder of the user's own, so that no port of this
machine gives others what the user may do.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from libvf_cli import subresources
from libvf_cli.errors import KubectlFailed, NoStream
from libvf_cli.kubectl import Json, Kubectl, not_there

SOCKETS = {"vnc": "vnc", "spice": "spice", "console": "serial"}
"""What the launcher calls the socket of each stream."""

_CHUNK = 1 << 16
_START_SECONDS = 15.0
_END_SECONDS = 3.0
_ABSENT = {
    403: "you may not use the gateway's subresource: ask for a role with subresources.libvf.io in this namespace",
    404: "the gateway is not installed: kubectl apply -k manifests/overlays/default",
    503: "the gateway does not answer: kubectl --namespace=libvf-system get pods",
}


class Stream(Protocol):
    """Bytes in both directions; an empty read is the end."""

    async def read(self) -> bytes: ...

    async def write(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class WebSocket:
    """A stream of the gateway's."""

    connection: ClientConnection

    async def read(self) -> bytes:
        """What the guest says next."""
        try:
            while not (data := await self.connection.recv(decode=False)):
                pass
        except ConnectionClosed:
            return b""
        return data

    async def write(self, data: bytes) -> None:
        """To the guest; NoStream where it is gone."""
        try:
            await self.connection.send(data)
        except ConnectionClosed as error:
            raise NoStream(f"the connection has ended: {error}") from error

    async def close(self) -> None:
        """Ends it."""
        await self.connection.close()


@dataclass(slots=True)
class Exec:
    """A stream of the launcher's own proxy, run by exec."""

    process: asyncio.subprocess.Process

    async def read(self) -> bytes:
        """What the guest says next; NoStream with kubectl's words where it failed."""
        assert self.process.stdout is not None
        if data := await self.process.stdout.read(_CHUNK):
            return data
        assert self.process.stderr is not None
        words = (await self.process.stderr.read()).decode(errors="replace").strip()
        if await self.process.wait():
            raise NoStream(words or f"kubectl exec ended with {self.process.returncode}")
        return b""

    async def write(self, data: bytes) -> None:
        """To the guest; NoStream where it is gone."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            await self.process.stdin.drain()
        except ConnectionError as error:
            raise NoStream(f"kubectl exec has ended: {error}") from error

    async def close(self) -> None:
        """Ends it."""
        await _end(self.process)


@dataclass(slots=True)
class Source:
    """Opens streams of one kind to one machine; once the gateway has proved to be absent, it is not asked again."""

    kubectl: Kubectl
    machine: Json
    kind: str
    proxy: Path
    absent: str = field(default="", init=False)

    async def open(self) -> Stream:
        """A stream; NoStream with the gateway's own words where it says no."""
        if not self.absent:
            try:
                return await self._by_gateway()
            except InvalidStatus as error:
                code, words = error.response.status_code, _words(bytes(error.response.body or b""))
                if code not in _ABSENT or (code == 404 and self.machine["metadata"]["name"] in words):
                    raise NoStream(f"{self.kind}: {words or f'the gateway answered {code}'}") from error
                self.absent = _ABSENT[code]
            except (OSError, InvalidHandshake, TimeoutError) as error:
                self.absent = f"{_ABSENT[503]} ({error})"
        return await self._by_exec()

    async def _by_gateway(self) -> Stream:
        uri = f"ws://localhost{subresources.path(self.machine, self.kind)}"
        protocols = [Subprotocol("binary")]
        return WebSocket(
            await unix_connect(str(self.proxy), uri, subprotocols=protocols, compression=None, max_size=None)
        )

    async def _by_exec(self) -> Stream:
        arguments = subresources.exec_argv(self.machine, "proxy", SOCKETS[self.kind])
        argv = self.kubectl.argv(arguments[0], "--stdin", *arguments[1:])
        pipe = asyncio.subprocess.PIPE
        try:
            return Exec(await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe))
        except OSError as error:
            raise not_there(error) from error


@asynccontextmanager
async def source(kubectl: Kubectl, machine: Json, kind: str) -> AsyncIterator[Source]:
    """A source for as long as its proxy runs."""
    with tempfile.TemporaryDirectory(prefix="kubectl-vf-") as folder:
        socket = Path(folder) / "api"
        async with proxied(kubectl, f"--unix-socket={socket}", f"--accept-paths=^{subresources.BASE}/"):
            yield Source(kubectl, machine, kind, socket)


@asynccontextmanager
async def proxied(kubectl: Kubectl, *options: str) -> AsyncIterator[str]:
    """A running `kubectl proxy`, and where it serves; KubectlFailed where it does not come up."""
    argv, pipe = kubectl.argv("proxy", *options), asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
    except OSError as error:
        raise not_there(error) from error
    try:
        yield await _serving(process)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends a kubectl and reads what it still says, so that its pipes are closed before the loop is."""
    if process.stdin:
        process.stdin.close()
    for end in (process.terminate, process.kill):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                end()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.communicate(), _END_SECONDS)
            return


async def _serving(process: asyncio.subprocess.Process) -> str:
    """The address of its first line: `Starting to serve on ADDRESS`."""
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)).decode()
    except TimeoutError as error:
        raise KubectlFailed(f"kubectl proxy did not come up in {_START_SECONDS:g} s") from error
    if " serve on " not in line:
        words = (await process.stderr.read()).decode(errors="replace").strip()
        raise KubectlFailed(f"kubectl proxy: {words or 'it ended without a word'}")
    return line.rpartition(" ")[2].strip()


async def pump(stream: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes between a guest and a viewer until one of them ends; raises NoStream where the guest's end fails."""

    async def inwards() -> None:
        while data := await reader.read(_CHUNK):
            await stream.write(data)

    async def outwards() -> None:
        while data := await stream.read():
            writer.write(data)
            await writer.drain()

    tasks = [asyncio.create_task(inwards()), asyncio.create_task(outwards())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with suppress(ConnectionError):  # the viewer was closed
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.close()
        await stream.close()


def _words(body: bytes) -> str:
    """The message of the API server's Status."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()
