"""New machines: `create`, `install`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import typer
import yaml
from libvf_api import running
from libvf_api.running import Change
from rich.console import Console
from rich.status import Status

from libvf_cli import machines, spec
from libvf_cli.call import Call, Name, command
from libvf_cli.errors import KubectlFailed, NotRunning
from libvf_cli.kubectl import Json
from libvf_cli.spec import Wanted

PANEL = "Making machines"
_HOURS = 3600.0
_LINE = 100  # characters of the guest's own words
_QUIET = 30.0  # seconds between lines where nobody looks at a terminal


def register(app: typer.Typer) -> None:
    """Adds the commands."""

    @command(app, "a machine from flags", PANEL)
    def create(
        call: Call,
        name: Annotated[str, typer.Argument(metavar="NAME", help="of the new VirtualMachine")],
        wanted: Wanted,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="only print the YAML")] = False,
    ) -> None:
        made = spec.machine(name, wanted)
        if not dry_run:
            made = call.kubectl.document("create", "--filename=-", stdin=yaml.safe_dump(made))
        text = yaml.safe_dump(made, sort_keys=False).rstrip() if dry_run else f"{name} is made: kubectl vf ps {name}"
        call.tell(text, made)

    @command(app, "install a guest from an ISO onto a disk of a machine, and wait until it has", PANEL)
    def install(
        call: Call,
        name: Name,
        iso: Annotated[str, typer.Option(metavar="SOURCE", help="pvc:CLAIM/PATH, image:REFERENCE or path:/FILE")],
        disk: Annotated[str, typer.Option(metavar="NAME", help="of spec.disks")] = "root",
        new: Annotated[
            str, typer.Option(metavar="SOURCE", help="what the disk is, where it is not there: pvc:CLAIM,create=40Gi")
        ] = "",
        wait: Annotated[bool, typer.Option("--wait/--no-wait", help="until it is installed")] = True,
        timeout: Annotated[float, typer.Option(metavar="SECONDS", help="then it ends with 3")] = 4 * _HOURS,
    ) -> None:
        machine = machines.one(call.kubectl, name)
        patch = spec.installing(machine, iso, disk, new)
        machine = machines.change(call.kubectl, machine, Change(patch, ""))
        machine = machines.change(call.kubectl, machine, _begun(machine))
        if not wait:
            call.tell(f"{name} installs: kubectl vf ps {name}", {"name": name, "installed": False})
            return
        _follow(call, name, timeout)
        call.tell(f"{name} is installed on {disk}", {"name": name, "installed": True})


def _begun(machine: Json) -> Change:
    """What makes the installer run now: a start, or a restart of a guest that runs."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    start = running.start(machine, now)
    return start if start.patch or not (machine.get("status") or {}).get("podName") else running.restart(machine, now)


def _follow(call: Call, name: str, seconds: float) -> None:
    progress = Progress(call, name)
    with progress:
        for seen in machines.follow(
            lambda: progress.looked(machines.one(call.kubectl, name)), _installed, seconds, f"installing {name}"
        ):
            progress.state(f"{seen.reason}: {seen.message}")


def _installed(machine: Json) -> bool:
    """Whether it is; NotRunning where the installer failed, or came to a standstill."""
    installed, name = machines.condition(machine, "Installed"), machine["metadata"]["name"]
    current = installed.get("observedGeneration") == machine["metadata"].get("generation")
    if current and installed.get("reason") == "InstallFailed":
        raise NotRunning(f"{name} is not installed: {installed['message']}; kubectl vf vnc {name} shows its screen")
    if current and installed.get("status") == "True":
        return True
    machines.refuse_standstill(machine)
    return False


@dataclass(slots=True)
class Progress:
    """How long it has taken, and the last line of the guest's console, which an installer may write to."""

    call: Call
    name: str
    _began: float = field(default_factory=time.monotonic)
    _status: Status | None = None
    _told: float = 0.0

    def __enter__(self) -> Progress:
        """On a terminal a line that moves; else a line now and then."""
        if sys.stderr.isatty() and not self.call.json:
            self._status = Console(stderr=True).status(f"{self.name}: installing")
            self._status.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._status:
            self._status.stop()

    def state(self, words: str) -> None:
        """Another state."""
        self.call.remark(f"{self.name}: {words}")

    def looked(self, machine: Json) -> Json:
        """One look more."""
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        if self._status:
            self._status.update(f"{self.name}: {minutes}m{seconds:02}s {self._words(machine)}")
        elif time.monotonic() - self._told > _QUIET:
            self._told = time.monotonic()
            if words := self._words(machine):
                self.call.remark(f"{self.name}: {minutes}m{seconds:02}s {words}")
        return machine

    def _words(self, machine: Json) -> str:
        """The console is also the Pod's log; escape sequences and control characters are the guest's, not ours."""
        try:
            text = self.call.kubectl.fetch("logs", machines.pod(machine), "--tail=5").decode(errors="replace")
        except (KubectlFailed, NotRunning):
            return ""
        lines = [machines.plain(line) for line in text.splitlines()]
        return next((line[:_LINE] for line in reversed(lines) if line.strip()), "")
