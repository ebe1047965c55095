"""A launcher with a real QEMU, in emulation and without devices: ready, asked to stop, killed, refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from libvf_api.termination import Termination, parse
from libvf_launcher.paths import Paths

from lab.emulator import qemu

SECONDS = 120  # on a busy machine
SCRIPT = "import sys; from pathlib import Path; from libvf_launcher.paths import Paths; "
SCRIPT += "from libvf_launcher.__main__ import main; sys.exit(main(sys.argv[2:], Paths(Path(sys.argv[1]), 0)))"
COMMAND = (sys.executable, "-c", SCRIPT)


class Running:
    """A launcher whose container is a folder; `devices` are those of the launch document."""

    def __init__(self, root: Path, devices: tuple[dict[str, str], ...] = (), **spec: Any) -> None:
        self.paths = Paths(root)
        at = self.paths
        for folder in (at.machine.parent, at.run, at.state, at.termination.parent, at.shared_memory):
            folder.mkdir(parents=True)
        body = {"memory": {"size": "64Mi"}, "cpu": {"acceleration": "Preferred"}, "network": {"mode": "None"}, **spec}
        uid = "11111111-2222-3333-4444-555555555555"
        document = {"name": "a", "namespace": "b", "uid": uid, "spec": body, "devices": devices}
        self.paths.machine.write_text(json.dumps(document))
        self.process = self.start()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The launcher, or one of its commands."""
        return subprocess.Popen([*COMMAND, str(self.paths.root), *arguments], start_new_session=True)

    def pipe(self, name: str) -> subprocess.Popen[bytes]:
        """A proxy to one of its sockets."""
        argv = [*COMMAND, str(self.paths.root), "proxy", name]
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of its commands, to its end."""
        argv = [*COMMAND, str(self.paths.root), *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS)

    def until(self, reached: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait for something to be so."""
        until(reached, seconds)

    def kill(self) -> None:
        """As a container ends with its first process: QEMU too."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, seconds: float = SECONDS) -> tuple[int, Termination]:
        """Its exit code and what it says of its end."""
        code = self.process.wait(seconds)
        told = parse(self.paths.termination.read_text())
        assert told is not None
        return code, told


def until(reached: Callable[[], bool], seconds: float) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the QEMU of the launcher's own image on PATH, which is Debian trixie's."""
    monkeypatch.setenv("PATH", f"{qemu().parent}:{os.environ['PATH']}")


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Running]]:
    emulator(monkeypatch)
    started: list[Running] = []

    def begin(**given: Any) -> Running:
        started.append(Running(tmp_path / "c", **given))
        return started[-1]

    yield begin
    for each in started:
        each.kill()


def test_ready_while_it_runs_and_a_picture_can_be_taken(launch: Callable[..., Running], tmp_path: Path) -> None:
    machine = launch()
    machine.until(machine.paths.ready.exists)
    assert machine.start("screenshot", str(tmp_path / "s.png")).wait(SECONDS) == 0
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    told = subprocess.run([*COMMAND, str(machine.paths.root), "screenshot", "-"], capture_output=True, timeout=SECONDS)
    assert told.stdout.startswith(b"\x89PNG")
    assert machine.start("qmp", "stop").wait(SECONDS) == 0
    machine.until(lambda: not machine.paths.ready.exists())
    assert machine.start("qmp", "cont").wait(SECONDS) == 0
    machine.until(machine.paths.ready.exists)
    machine.start("qmp", "quit").wait(SECONDS)  # QEMU may be gone before its answer
    code, told = machine.end()
    assert (code, told.reason) == (0, "Stopped")


def test_a_viewer_speaks_with_the_screen_through_a_proxy(launch: Callable[..., Running]) -> None:
    machine = launch()
    machine.until(machine.paths.ready.exists)
    proxy = machine.pipe("vnc")
    assert proxy.stdin is not None
    assert proxy.stdout is not None
    assert proxy.stdout.read(12) == b"RFB 003.008\n"
    proxy.stdin.write(b"RFB 003.008\n")
    assert proxy.stdout.read(2) == b"\x01\x01"  # one way to log in: none
    proxy.stdin.write(b"\x01")
    assert proxy.stdout.read(4) == b"\x00\x00\x00\x00"
    proxy.stdin.close()
    assert proxy.wait(SECONDS) == 0


def test_a_guest_that_does_not_hear_is_ended_after_its_grace_period(launch: Callable[..., Running]) -> None:
    machine = launch(terminationGracePeriodSeconds=4)
    machine.until(machine.paths.ready.exists)
    machine.process.send_signal(signal.SIGTERM)
    _, told = machine.end()
    assert told.reason == "Killed"
    assert "grace period" in told.message


def test_told_to_stop_while_its_disks_are_made_it_starts_no_guest(
    launch: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, begun = tmp_path / "bin" / "qemu-img", tmp_path / "begun"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ntouch {begun}\nsleep 1\nexec {shutil.which("qemu-img")} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
    running = launch(disks=[{"name": "blank", "size": "1Mi"}])
    running.until(begun.exists)
    running.process.send_signal(signal.SIGTERM)
    code, told = running.end()
    assert (code, told.reason) == (0, "Stopped")
    assert not running.paths.qemu_pid.exists()


def test_a_killed_qemu_is_told_by_its_signal(launch: Callable[..., Running]) -> None:
    machine = launch()
    machine.until(machine.paths.ready.exists)
    subprocess.run(["kill", "-9", machine.paths.qemu_pid.read_text()], check=True)
    code, told = machine.end()
    assert (code, told.reason) == (1, "QemuExited")
    assert "SIGKILL" in told.message


def test_a_disk_that_is_not_there_is_named(launch: Callable[..., Running]) -> None:
    code, told = launch(disks=[{"name": "root", "image": {"reference": "x"}}]).end()
    assert (code, told.reason) == (1, "BadMachine")
    assert "disk root: there is no disk.img in its volume" in told.message


def test_a_cpu_that_qemu_does_not_know_is_the_specs_fault(launch: Callable[..., Running]) -> None:
    code, told = launch(cpu={"acceleration": "Preferred", "model": "no-such-cpu"}).end()
    assert (code, told.reason) == (1, "BadMachine")
    assert "QEMU does not know spec.cpu.model" in told.message
    assert "no-such-cpu" in told.message


def test_qemus_own_words_are_kept(launch: Callable[..., Running]) -> None:
    code, told = launch(extraArguments=["-global no-such-driver"]).end()
    assert (code, told.reason) == (1, "QemuExited")
    assert "no-such-driver" in told.message
