"""The user's terminal as a guest's serial console."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from libvf_cli.streams import Stream

LEAVE = 0x1D  # Ctrl-]
_CHUNK = 4096


async def attach(stream: Stream) -> None:
    """Keys to the guest and its words to the screen, until Ctrl-], or until the guest ends; raises NoStream.

    Input that is no terminal may end before the guest has answered, so its end does not end the console.
    """
    loop, left = asyncio.get_running_loop(), asyncio.Event()
    keys: asyncio.Queue[bytes] = asyncio.Queue()

    def pressed() -> None:
        data = os.read(sys.stdin.fileno(), _CHUNK)
        if not data:
            loop.remove_reader(sys.stdin.fileno())
            return
        before, leave, _ = data.partition(bytes((LEAVE,)))
        keys.put_nowait(before)
        if leave:
            left.set()

    async def inwards() -> None:
        while True:
            if data := await keys.get():
                await stream.write(data)

    async def outwards() -> None:
        while data := await stream.read():
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    with _raw():
        _listen(loop, pressed)
        tasks = [asyncio.create_task(what) for what in (inwards(), outwards(), _until(left))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            loop.remove_reader(sys.stdin.fileno())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _until(left: asyncio.Event) -> None:
    await left.wait()


def _listen(loop: asyncio.AbstractEventLoop, pressed: object) -> None:
    """Regular files and /dev/null cannot be waited for: they are read at once."""
    assert callable(pressed)
    try:
        loop.add_reader(sys.stdin.fileno(), pressed)
    except PermissionError:
        pressed()


@contextmanager
def _raw() -> Iterator[None]:
    """Keys come as they are pressed, Ctrl-C too; the terminal is put back whatever happens."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
