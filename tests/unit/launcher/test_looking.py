"""A VM's sockets by standard input and output, against a real QEMU: what `kubectl exec` runs for who looks at it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.unit.launcher.test_life import SCRIPT, SECONDS, Running, launch

__all__ = ["launch"]

# waits for a byte on the first serial port and sends it back, for ever: 8250 registers 0x3fd (ready), 0x3f8 (data)
ECHO = bytes.fromhex("bafd03 ec a801 74fb b2f8 ec ee ebf2")
GREETING = b"RFB 003.008\n"


@contextmanager
def looking(machine: Running, way: str) -> Iterator[subprocess.Popen[bytes]]:
    """Someone who looks at it."""
    argv = [sys.executable, "-c", SCRIPT, str(machine.paths.root), "proxy", way]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, bufsize=0, **pipes) as process:
        yield process
        if process.stdin:
            process.stdin.close()
        process.wait(SECONDS)


def heard(process: subprocess.Popen[bytes], count: int) -> bytes:
    """The next bytes."""
    pipe: IO[bytes] | None = process.stdout
    assert pipe is not None
    data = b""
    while len(data) < count and (more := pipe.read(count - len(data))):
        data += more
    return data


def say(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)


@pytest.fixture
def machine(launch: Callable[..., Running], tmp_path: Path) -> Running:
    """One whose guest echoes its serial console."""
    disk = tmp_path / "c" / "volumes" / "root" / "disk.img"
    disk.parent.mkdir(parents=True)
    disk.write_bytes(ECHO.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    running = launch(disks=[{"name": "root", "image": {"reference": "x"}}])
    running.until(running.paths.ready.exists)
    return running


def test_two_look_at_one_screen(machine: Running) -> None:
    with looking(machine, "vnc") as one, looking(machine, "vnc") as two:
        assert heard(one, len(GREETING)) == GREETING
        assert heard(two, len(GREETING)) == GREETING
        say(one, GREETING)
        assert heard(one, 2) == b"\x01\x01"  # one security type, none (RFC 6143, 7.1.2)
    assert (one.returncode, two.returncode) == (0, 0)


def test_the_guest_hears_its_serial_console_and_answers_one_reader_at_a_time(machine: Running) -> None:
    with looking(machine, "serial") as one:
        say(one, b"?" * 64)  # the firmware may swallow some until the guest's own code runs
        assert heard(one, 1) == b"?"
        with looking(machine, "serial") as two:
            assert two.wait(SECONDS) == 1
            assert two.stderr is not None
            assert b"the console is in use: end the other session first" in two.stderr.read()
        say(one, b"!")
        while heard(one, 1) != b"!":
            pass
    with looking(machine, "serial") as next_one:
        say(next_one, b"#")
        while heard(next_one, 1) != b"#":
            pass


def test_who_looks_is_told_by_the_end_of_the_stream_that_the_machine_has_ended(machine: Running) -> None:
    with looking(machine, "vnc") as process:
        assert heard(process, len(GREETING)) == GREETING
        machine.start("qmp", "quit").wait(SECONDS)
        assert heard(process, 1) == b""
        assert process.wait(SECONDS) == 0


def test_a_picture_comes_by_standard_output_and_leaves_no_file(machine: Running) -> None:
    argv = [sys.executable, "-c", SCRIPT, str(machine.paths.root), "screenshot", "-"]
    done = subprocess.run(argv, capture_output=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"\x89PNG")
    assert done.stdout.rstrip().endswith(b"IEND\xaeB`\x82")
    assert not [path for path in machine.paths.run.iterdir() if path.is_dir()]
