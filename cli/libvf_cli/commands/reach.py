"""`ssh` into a guest."""

from __future__ import annotations

import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from libvf_cli import machines
from libvf_cli.call import Call, Name, command
from libvf_cli.errors import KubectlFailed, NoProgram, NotRunning
from libvf_cli.forward import HOST
from libvf_cli.kubectl import Json, Kubectl, not_there

PANEL = "Screen and console"
_SSH = 22
_SECONDS = 15.0


def register(app: typer.Typer) -> None:
    """Adds the command."""

    @command(app, "log in to a guest, or run a command in it; ends with ssh's own code", PANEL, raw=True)
    def ssh(
        call: Call,
        name: Name,
        words: Annotated[
            list[str] | None, typer.Argument(metavar="[-- COMMAND..]", help="what runs there instead of a shell")
        ] = None,
        user: Annotated[str, typer.Option("--user", "-l", metavar="USER", help="default: as ssh has it")] = "",
        identity: Annotated[str, typer.Option("--identity", "-i", metavar="FILE", help="ssh's own")] = "",
    ) -> None:
        machine = machines.one(call.kubectl, name)
        machines.pod(machine)
        port = service_port(machine)
        with forwarded(call.kubectl, machine, port) as here:
            argv = command_line(machine, here, user, identity, words or [])
            try:
                code = subprocess.run(argv).returncode
            except OSError as error:
                raise NoProgram(f"ssh can not be run ({error.strerror}): install an OpenSSH client") from error
        raise typer.Exit(code if code >= 0 else 128 - code)


def service_port(machine: Json) -> int:
    """The Service's port that is the guest's ssh; NotRunning with the cure where the spec carries none."""
    for port in machine["spec"].get("ports") or []:
        if port["port"] == _SSH and port.get("protocol", "TCP") == "TCP":
            return int(port.get("servicePort", _SSH))
    name = machine["metadata"]["name"]
    cure = "add {name: ssh, port: 22} to spec.ports, and kubectl vf restart " + name
    raise NotRunning(f"{name} carries no port of ssh: {cure}")


def command_line(machine: Json, port: int, user: str, identity: str, words: list[str]) -> list[str]:
    """ssh's arguments. The host key is known under the VM's own name: the port here is another one each time."""
    meta = machine["metadata"]
    options = ["-o", f"HostKeyAlias={meta['name']}.{meta['namespace']}.{meta['uid']}.libvf", "-p", str(port)]
    options += ["-i", identity] if identity else []
    options += ["-l", user] if user else []
    return ["ssh", *options, HOST, *(["--", *words] if words else [])]


@contextmanager
def forwarded(kubectl: Kubectl, machine: Json, port: int) -> Iterator[int]:
    """A port of the loopback that is the Service's, while it lasts; KubectlFailed with kubectl's words."""
    meta = machine["metadata"]
    what = (f"service/{meta['name']}", f"--namespace={meta['namespace']}", f"--address={HOST}", f":{port}")
    argv = kubectl.argv("port-forward", *what)
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except OSError as error:
        raise not_there(error) from error
    try:
        yield _port(process)
    finally:
        process.terminate()
        process.communicate()


def _port(process: subprocess.Popen[str]) -> int:
    """Of its first line: `Forwarding from 127.0.0.1:43215 -> 2222`."""
    assert process.stdout is not None
    assert process.stderr is not None
    ready, _, _ = select.select([process.stdout], [], [], _SECONDS)
    line = process.stdout.readline() if ready else ""
    if " -> " not in line:
        process.terminate()
        words = process.stderr.read().strip()
        raise KubectlFailed(f"kubectl port-forward: {words or f'no answer in {_SECONDS:g} s'}")
    return int(line.partition(" -> ")[0].rpartition(":")[2])
