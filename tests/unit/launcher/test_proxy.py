"""A socket of the launcher as standard input and output."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
from libvf_launcher.paths import Paths

SCRIPT = "import sys; from pathlib import Path; from libvf_launcher.paths import Paths; "
SCRIPT += "from libvf_launcher.__main__ import main; sys.exit(main(sys.argv[2:], Paths(Path(sys.argv[1]), 0)))"
SECONDS = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[socket.socket]:
    run = Paths(tmp_path).run
    run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(run / "serial.sock"))
        listening.listen()
        listening.settimeout(SECONDS)
        yield listening


def proxy(root: Path, name: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", SCRIPT, str(root), "proxy", name]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def fill(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        pipe.write(bytes(2_000_000))


def test_bytes_come_and_go_unchanged_and_the_end_of_the_guest_is_its_end(tmp_path: Path, server: socket.socket) -> None:
    process = proxy(tmp_path, "serial")
    guest, _ = server.accept()
    sent = os.urandom(300_000)
    thread = threading.Thread(target=guest.sendall, args=(sent,))
    thread.start()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\x03root\r")
    process.stdin.flush()
    assert guest.recv(6, socket.MSG_WAITALL) == b"\x03root\r"
    assert process.stdout.read(len(sent)) == sent
    thread.join()
    guest.close()
    assert process.wait(SECONDS) == 0


def test_a_guest_that_reads_nothing_is_heard_all_the_same(tmp_path: Path, server: socket.socket) -> None:
    process = proxy(tmp_path, "serial")
    guest, _ = server.accept()
    assert process.stdin is not None
    assert process.stdout is not None
    threading.Thread(target=fill, args=(process.stdin,), daemon=True).start()
    guest.sendall(b"login: ")
    assert process.stdout.read(7) == b"login: "
    guest.close()
    assert process.wait(SECONDS) == 0


def test_a_socket_that_is_not_there_is_told_with_the_likely_reasons(tmp_path: Path) -> None:
    process = proxy(tmp_path, "spice")
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert b"spice.sock: the guest does not run yet, or spec.display does not name it" in errors


def test_only_the_sockets_for_people_can_be_reached(tmp_path: Path) -> None:
    process = proxy(tmp_path, "qmp")
    _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert errors.startswith(b"usage: ")
