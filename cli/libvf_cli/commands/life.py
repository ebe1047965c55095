"""Whether a machine runs: `start`, `stop`, `restart`, `pause`, `unpause`, `ps`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from libvf_api import names, running
from rich.console import Console
from rich.live import Live
from rich.table import Table

from libvf_cli import listing, machines, subresources
from libvf_cli.call import Call, Name, command
from libvf_cli.errors import NotRunning
from libvf_cli.kubectl import Json
from libvf_cli.table import aligned

PANEL = "Running"
_EVERY = 2.0  # seconds
Wait = Annotated[bool, typer.Option("--wait", "-w", help="until it is so")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="with --wait; then it ends with 3")]
_TIMEOUT = 300.0


def register(app: typer.Typer) -> None:
    """Adds the commands."""

    @command(app, "turn a machine on, as its run strategy has it", PANEL)
    def start(call: Call, name: Name, wait: Wait = False, timeout: Timeout = _TIMEOUT) -> None:
        machine, now = machines.one(call.kubectl, name), _now()
        wanted = running.start(machine, now)
        again = names.RESTART_REQUESTED in wanted.patch.get("metadata", {}).get("annotations", {})
        reached = _runs_since(now) if again else _runs
        _change(call, machine, wanted, reached if wait else None, timeout)

    @command(app, "shut a machine's guest down and give its slices back", PANEL)
    def stop(call: Call, name: Name, wait: Wait = False, timeout: Timeout = _TIMEOUT) -> None:
        machine = machines.one(call.kubectl, name)
        _change(call, machine, running.stop(machine), _is_off if wait else None, timeout)

    @command(app, "shut its guest down and start it anew, with its changed spec", PANEL)
    def restart(call: Call, name: Name, wait: Wait = False, timeout: Timeout = _TIMEOUT) -> None:
        machine, now = machines.one(call.kubectl, name), _now()
        try:
            wanted = running.restart(machine, now)
        except running.NotRunning as error:
            raise NotRunning(str(error)) from error
        _change(call, machine, wanted, _runs_since(now) if wait else None, timeout)

    @command(app, "hold a guest's CPUs, with its memory and slices kept", PANEL)
    def pause(call: Call, name: Name) -> None:
        _pause(call, name, True)

    @command(app, "let a paused guest go on", PANEL)
    def unpause(call: Call, name: Name) -> None:
        _pause(call, name, False)

    @command(app, "machines with their state, node, slice, size and ports", PANEL)
    def ps(
        call: Call,
        name: Annotated[str | None, typer.Argument(metavar="NAME", help="only this one")] = None,
        everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="of all namespaces")] = False,
        watch: Annotated[bool, typer.Option("--watch", "-w", help="until it is interrupted")] = False,
    ) -> None:
        def look() -> list[Json]:
            return [machines.one(call.kubectl, name)] if name else machines.listed(call.kubectl, everywhere)

        if watch and not call.json and sys.stdout.isatty():
            _live(look, everywhere)
        elif watch:
            _each_change(call, look, everywhere)
        else:
            _show(call, look(), everywhere)


def _change(
    call: Call, machine: Json, wanted: running.Change, reached: Callable[[Json], bool] | None, seconds: float
) -> None:
    after = machines.change(call.kubectl, machine, wanted)
    name = machine["metadata"]["name"]
    if not call.json:
        print(wanted.told, flush=True)
    if not wanted.patch and not reached:
        call.remark(f"{name}: {': '.join(machines.state(after))}")
    if reached:
        for seen in machines.follow(lambda: machines.one(call.kubectl, name), reached, seconds, name):
            after = seen.machine
            call.remark(f"{name}: {seen.reason}: {seen.message}")
    if call.json:
        reason, message = machines.state(after)
        call.tell("", {"name": name, "changed": bool(wanted.patch), "state": reason, "message": message})


def _runs(machine: Json) -> bool:
    """Whether its guest runs; NotRunning where it has come to a standstill."""
    machines.refuse_standstill(machine)
    current = machines.is_current(machine, machines.condition(machine, "Ready"))
    return current and bool((machine.get("status") or {}).get("ready"))


def _runs_since(request: str) -> Callable[[Json], bool]:
    """Whether it runs in a Pod that was made for this request: before that its status speaks of the Pod before."""

    def reached(machine: Json) -> bool:
        return (machine.get("status") or {}).get("lastRestart") == request and _runs(machine)

    return reached


def _is_off(machine: Json) -> bool:
    current = machines.is_current(machine, machines.condition(machine, "Ready"))
    return current and not (machine.get("status") or {}).get("podName")


def _pause(call: Call, name: str, paused: bool) -> None:
    machine = machines.one(call.kubectl, name)
    machines.pod(machine)
    subresources.pause(call.kubectl, machine, paused)
    word = "paused" if paused else "running"
    call.tell(f"{name} is {word}", {"name": name, "guest": word})


def _show(call: Call, found: list[Json], everywhere: bool) -> None:
    now = datetime.now(UTC)
    text = aligned(listing.head(everywhere), listing.rows(found, now, everywhere))
    call.tell(
        text or "no VirtualMachine here: kubectl vf create, or -A for all namespaces", listing.document(found, now)
    )


def _live(look: Callable[[], list[Json]], everywhere: bool) -> None:
    console = Console()
    with Live(console=console, auto_refresh=False, screen=False) as live:
        while True:
            table = Table(*listing.head(everywhere), box=None, header_style="bold", padding=(0, 2, 0, 0))
            for row in listing.rows(look(), datetime.now(UTC), everywhere):
                table.add_row(*row)
            live.update(table, refresh=True)
            time.sleep(_EVERY)


def _each_change(call: Call, look: Callable[[], list[Json]], everywhere: bool) -> None:
    """For a pipe: the whole answer once more whenever a machine has changed."""
    last: list[str] = []
    while True:
        found = look()
        versions = [one["metadata"]["uid"] + one["metadata"]["resourceVersion"] for one in found]
        if versions != last:
            _show(call, found, everywhere)
            last = versions
        time.sleep(_EVERY)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
