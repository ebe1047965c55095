"""QEMU's guest agent: a program in the guest that says what only the guest knows.

One JSON object a line; guest-sync-delimited puts both ends in step, its answer follows a byte that JSON never has.
What answers is whatever the guest runs: an answer that is too long, too late or of another shape is none.
Source: qemu-ga-ref(7).
"""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from libvf_api.guest_report import Guest, guest

from libvf_launcher import virtioserial
from libvf_launcher.paths import Paths

PORT = "org.qemu.guest_agent.0"
_SENTINEL = b"\xff"
_ANSWER_BYTES = 1 << 16
_SECONDS = 10
_numbers = itertools.count(1)
T = TypeVar("T")


class _Answer(msgspec.Struct, Generic[T], frozen=True):
    answer: T | None = msgspec.field(default=None, name="return")


class _Os(msgspec.Struct, frozen=True, rename="kebab"):
    pretty_name: str = ""
    name: str = ""
    version: str = ""


class _Host(msgspec.Struct, frozen=True, rename="kebab"):
    host_name: str = ""


class _Address(msgspec.Struct, frozen=True, rename="kebab"):
    ip_address: str = ""


class _Interface(msgspec.Struct, frozen=True, rename="kebab"):
    ip_addresses: list[_Address] = []


def arguments(paths: Paths) -> Iterator[str]:
    """Its port and our end of it."""
    yield from ("-chardev", f"socket,id=agent,path={paths.guest_agent},server=on,wait=off")
    yield from virtioserial.port("agent", PORT)


async def ask(socket: Path) -> Guest | None:
    """What the guest says of itself; None where no agent answers, or one that cannot be one."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await _asked(socket)
    except (OSError, EOFError, asyncio.LimitOverrunError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


async def shut_down(socket: Path, after: float) -> None:
    """Ask it to shut the guest down, some seconds after the power button: it has no answer to that."""
    await asyncio.sleep(after)
    with suppress(OSError):
        _, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(_SENTINEL + _request("guest-shutdown", {"mode": "powerdown"}))
            async with asyncio.timeout(_SECONDS):
                await writer.drain()
            await asyncio.sleep(_SECONDS)  # QEMU drops what the guest has not read when the other end closes
        finally:
            writer.close()


async def _asked(socket: Path) -> Guest:
    reader, writer = await asyncio.open_unix_connection(socket, limit=_ANSWER_BYTES)
    line = _Line(reader, writer)
    try:
        await line.synchronise()
        os = await line.call("guest-get-osinfo", _Os) or _Os()
        host = await line.call("guest-get-host-name", _Host) or _Host()
        interfaces = await line.call("guest-network-get-interfaces", list[_Interface]) or []
    finally:
        writer.close()
    addresses = (address.ip_address for interface in interfaces for address in interface.ip_addresses)
    return guest(os.pretty_name or f"{os.name} {os.version}", host.host_name, addresses)


class _Line:
    """One connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def synchronise(self) -> None:
        """Skip what it still has to say to somebody else."""
        number = next(_numbers)
        self._writer.write(_SENTINEL + _request("guest-sync-delimited", {"id": number}))
        answer = None
        while answer != number:
            await self._reader.readuntil(_SENTINEL)
            answer = await self._answer(int)

    async def call(self, command: str, kind: type[T]) -> T | None:
        """Its answer; None where it refuses, as an older one does that does not know the command."""
        self._writer.write(_request(command, {}))
        return await self._answer(kind)

    async def _answer(self, kind: type[T]) -> T | None:
        line = await self._reader.readuntil(b"\n")
        found: _Answer[T] = msgspec.json.decode(line, type=_Answer[kind])  # type: ignore[valid-type]
        return found.answer


def _request(command: str, arguments: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"execute": command, "arguments": arguments}) + b"\n"
