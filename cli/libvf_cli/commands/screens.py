"""A guest's screen and console: `console`, `vnc`, `spice`, `view`, `screenshot`."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Annotated

import typer

from libvf_cli import machines, screens, shared_memory, subresources, terminal
from libvf_cli.call import Call, Name, command
from libvf_cli.errors import BadAnswer, BadInput, CannotWrite, KubectlFailed
from libvf_cli.forward import Where
from libvf_cli.kubectl import Json
from libvf_cli.streams import source

PANEL = "Screen and console"
_PNG = b"\x89PNG\r\n\x1a\n"

Port = Annotated[int | None, typer.Option("--port", "-p", min=0, max=65535, help="listen on this one of 127.0.0.1")]
Socket = Annotated[
    Path | None, typer.Option("--socket", metavar="PATH", help="listen there: only its owner may connect")
]
Viewer = Annotated[str, typer.Option("--viewer", metavar="PROGRAM", help="the program that shows it")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    _live(app)
    _pictures(app)


def _live(app: typer.Typer) -> None:
    """Those that are open until they are left."""

    @command(app, "a guest's serial console; Ctrl-] leaves it", PANEL, raw=True)
    def console(call: Call, name: Name) -> None:
        machine = _running(call, name)

        async def attached() -> None:
            async with source(call.kubectl, machine, "console") as found:
                stream = await found.open()
                call.remark(f"console of {name}: Ctrl-] leaves it")
                try:
                    await terminal.attach(stream)
                finally:
                    await stream.close()

        asyncio.run(attached())

    @command(app, "a guest's screen: in the browser, or in a viewer", PANEL)
    def vnc(call: Call, name: Name, port: Port = None, socket: Socket = None, viewer: Viewer = "") -> None:
        if socket is not None and viewer:
            raise BadInput("--viewer comes by a port: leave --socket out, or start the viewer yourself")
        machine = _running(call, name)
        if port is None and socket is None and not viewer and _gateway(call):
            asyncio.run(screens.page(call, machine))
            return
        asyncio.run(screens.shown(call, machine, "vnc", _where(port, socket), viewer, port is None and socket is None))

    @command(app, "a guest's screen with sound, clipboard and USB, by a SPICE viewer", PANEL)
    def spice(call: Call, name: Name, port: Port = None, socket: Socket = None, viewer: Viewer = "") -> None:
        machine = _running(call, name)
        asyncio.run(
            screens.shown(call, machine, "spice", _where(port, socket), viewer, port is None and socket is None)
        )

    @command(app, "a guest's own frames by Looking Glass, on the host where it runs", PANEL)
    def view(
        call: Call,
        name: Name,
        viewer: Viewer = "",
        show: Annotated[bool, typer.Option("--show", help="only say the command")] = False,
    ) -> None:
        machine = _running(call, name)
        pod = call.kubectl.get("pod", machines.pod(machine))
        found = shared_memory.shared(machine, pod, _host())
        asyncio.run(screens.looking_glass(call, machine, found, viewer, show))


def _pictures(app: typer.Typer) -> None:
    """Those that take a picture."""

    @command(app, "a guest's screen as a PNG picture", PANEL)
    def screenshot(
        call: Call, name: Name, file: Annotated[str, typer.Argument(metavar="FILE", help="- is the standard output")]
    ) -> None:
        picture = subresources.screenshot(call.kubectl, _running(call, name))
        if not picture.startswith(_PNG):
            raise BadAnswer(f"{name} answered with no picture: {picture[:80]!r}")
        if file == "-":
            if call.json:
                raise BadInput("the picture and JSON do not go to one output: name a file")
            typer.get_binary_stream("stdout").write(picture)
            return
        try:
            Path(file).write_bytes(picture)
        except OSError as error:
            raise CannotWrite(f"{file}: {error.strerror}: name another file") from error
        size = [int.from_bytes(picture[at : at + 4]) for at in (16, 20)]
        call.tell(f"{file}: {size[0]}x{size[1]}", {"name": name, "file": file, "width": size[0], "height": size[1]})


def _running(call: Call, name: str) -> Json:
    machine = machines.one(call.kubectl, name)
    machines.pod(machine)
    return machine


def _gateway(call: Call) -> bool:
    """Whether the gateway serves the page with the screen."""
    try:
        call.cluster.fetch("get", "--raw", subresources.BASE)
    except KubectlFailed as error:
        call.remark(f"no page for a browser, so a viewer is used: {subresources.absent(error) or error}")
        return False
    return True


def _where(port: int | None, path: Path | None) -> Where:
    if port is not None and path is not None:
        raise BadInput("--port and --socket exclude each other: one viewer comes by one of them")
    return Where(port or 0, path)


def _host() -> str:
    return socket.gethostname()
