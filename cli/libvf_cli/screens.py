"""A screen is shown: forwarded to this machine, and opened in a viewer or a browser, until that ends."""

from __future__ import annotations

import asyncio
import tempfile
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from libvf_cli import subresources, viewers
from libvf_cli.call import Call
from libvf_cli.errors import CliError, NoProgram
from libvf_cli.forward import HOST, Forward, Where
from libvf_cli.kubectl import Json
from libvf_cli.streams import proxied, source
from libvf_cli.viewers import Shared

_PROGRAMS = {"vnc": (viewers.VNC, viewers.vnc), "spice": (viewers.SPICE, viewers.spice)}


async def shown(call: Call, machine: Json, kind: str, where: Where, viewer: str, opens: bool) -> None:
    """Listens, and with `opens` or a named viewer starts that and ends with it; else until it is interrupted."""
    programs, started = _PROGRAMS[kind]
    name = machine["metadata"]["name"]
    async with _forwarded(call, machine, kind, where) as (forward, place):
        program = ""
        if opens or viewer:
            try:
                program = viewers.found(programs, viewer)
            except NoProgram as error:
                if viewer:
                    raise
                call.remark(str(error))
        command = started(program, place) if program else []
        call.tell(
            f"{kind} of {name} at {place.address(kind)}" + ("" if command else ": until Ctrl-C"),
            {"name": name, "address": place.address(kind), "command": command},
        )
        await _until_end(forward, command)


async def page(call: Call, machine: Json) -> None:
    """The gateway's page with the screen in noVNC, through a `kubectl proxy`, until it is interrupted.

    The proxy listens on the loopback, as a browser needs it: while it runs, whoever is on this machine has what the
    user has in the cluster.
    """
    meta = machine["metadata"]
    async with proxied(call.kubectl, "--port=0", f"--address={HOST}") as address:
        url = f"http://{address}{subresources.BASE}/console/#/{meta['namespace']}/{meta['name']}"
        call.tell(f"{meta['name']} at {url}: until Ctrl-C", {"name": meta["name"], "address": url, "command": []})
        await asyncio.to_thread(webbrowser.open, url)
        await asyncio.Event().wait()


async def looking_glass(call: Call, machine: Json, shared: Shared, viewer: str, show: bool) -> None:
    """Looking Glass's client, with SPICE for keys and Scream's receiver for sound where the VM has them."""
    program = viewer if show and viewer else viewers.LOOKING_GLASS if show else ""
    program = program or viewers.found((viewers.LOOKING_GLASS,), viewer)
    async with AsyncExitStack() as stack:
        forward = None
        if "spice" in (machine["spec"].get("display") or []) and not show:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kubectl-vf-")))
            entered = _forwarded(call, machine, "spice", Where(socket=folder / "spice"))
            forward, place = await stack.enter_async_context(entered)
            shared = replace(shared, socket=str(place.socket))
        command = viewers.looking_glass(program, shared)
        sound = viewers.scream(shared) if shared.sound else []
        name = machine["metadata"]["name"]
        call.tell(" ".join(command), {"name": name, "frames": shared.frames, "sound": shared.sound, "command": command})
        if show:
            return
        if sound:
            await stack.enter_async_context(_beside(call, sound))
        await _until_end(forward, command)


@asynccontextmanager
async def _forwarded(call: Call, machine: Json, kind: str, where: Where) -> AsyncIterator[tuple[Forward, Where]]:
    async with source(call.kubectl, machine, kind) as found:
        forward = Forward(found)
        async with forward.listening(where) as place:
            yield forward, place


async def _until_end(forward: Forward | None, command: list[str]) -> None:
    """Until the viewer ends, or, without one, until it is interrupted; raises why a connection failed."""
    process = await asyncio.create_subprocess_exec(*command) if command else None
    ended = asyncio.create_task(_ended(process))
    failed = asyncio.create_task(forward.failed() if forward else _never())
    done, _ = await asyncio.wait({ended, failed}, return_when=asyncio.FIRST_COMPLETED)
    for task in (ended, failed):
        task.cancel()
    if process and process.returncode is None:
        process.terminate()
        await process.wait()
    for task in done:
        task.result()


async def _ended(process: asyncio.subprocess.Process | None) -> None:
    await (process.wait() if process else _never())


async def _never() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def _beside(call: Call, command: list[str]) -> AsyncIterator[None]:
    """A program that runs as long as another; that it is not there is said and costs only the sound."""
    try:
        process = await asyncio.create_subprocess_exec(viewers.found((command[0],)), *command[1:])
    except (CliError, OSError) as error:
        call.remark(f"without sound: {error}")
        yield
        return
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
