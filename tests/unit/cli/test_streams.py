"""Screens and consoles by exec, where no gateway is: with the launcher's own proxy at the other end."""

import asyncio
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from libvf_cli.__main__ import main
from libvf_cli.errors import CannotWrite, NoStream
from libvf_cli.forward import Forward, Where
from libvf_cli.kubectl import Kubectl
from libvf_cli.streams import source
from libvf_launcher.paths import Paths

from tests.unit.cli.conftest import interruptible

MACHINE = {
    "metadata": {"name": "desk", "namespace": "team", "uid": "u1"},
    "spec": {"memory": {"size": "1Gi"}, "display": ["vnc"]},
    "status": {"podName": "desk"},
}

# a kubectl whose API server knows the VM and no gateway, and whose exec runs the launcher's own program
SCRIPT = """#!{python}
import json, os, signal, sys
arguments = sys.argv[1:]
if "proxy" in arguments and "exec" not in arguments:
    import http.server, socketserver
    path = next(a for a in arguments if a.startswith("--unix-socket=")).partition("=")[2]
    class Answer(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def address_string(self): return "viewer"
        def log_message(self, *words): pass
        def do_GET(self):
            body = json.dumps({{"message": {message!r}}}).encode()
            self.send_response({code}); self.send_header("Content-Length", str(len(body))); self.end_headers()
            self.wfile.write(body)
    with socketserver.ThreadingUnixStreamServer(path, Answer) as server:
        print(f"Starting to serve on {{path}}", flush=True)
        server.serve_forever()
elif "exec" in arguments:
    assert "--stdin" in arguments and "--container=launcher" in arguments and "--namespace=team" in arguments
    words = arguments[arguments.index("libvf-launcher") + 1:]
    if {refused!r}:
        sys.exit({refused!r})
    from pathlib import Path
    from libvf_launcher.__main__ import main
    from libvf_launcher.paths import Paths
    sys.exit(main(words, Paths(Path({root!r}), 0)))
elif "--raw" in arguments:
    sys.exit("Error from server (NotFound): the server could not find the requested resource")
elif "get" in arguments:
    print({machine!r})
"""


class Guest:
    """A launcher's sockets, each with a guest that answers what it hears in capitals."""

    def __init__(self, root: Path) -> None:
        self.root = root
        run = Paths(root).run
        run.mkdir(parents=True)
        for name in ("vnc", "serial"):
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(run / f"{name}.sock"))
            listening.listen()
            threading.Thread(target=self._serve, args=(listening,), daemon=True).start()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.sendall(b"hello ")
        while data := connection.recv(1024):
            if b"halt" in data:
                connection.close()
                return
            connection.sendall(data.upper())

    def kubectl(self, code: int = 404, message: str = "the server could not find it", refused: str = "") -> None:
        """Puts this cluster's kubectl on PATH."""
        program = self.root / "bin" / "kubectl"
        program.parent.mkdir(exist_ok=True)
        text = SCRIPT.format(
            python=sys.executable, code=code, message=message, refused=refused, root=str(self.root),
            machine=json.dumps(MACHINE),
        )  # fmt: skip
        program.write_text(text)
        program.chmod(0o755)


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guest:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    found = Guest(tmp_path)
    found.kubectl()
    return found


async def _said(kind: str, words: bytes) -> bytes:
    async with source(Kubectl(), MACHINE, kind) as found:
        stream = await found.open()
        try:
            await stream.write(words)
            said = b""
            while len(said) < len(b"hello ") + len(words):
                said += await stream.read()
            return said
        finally:
            await stream.close()


def test_without_a_gateway_a_screen_comes_by_exec(guest: Guest) -> None:
    assert asyncio.run(_said("vnc", b"x" * 100_000)) == b"hello " + b"X" * 100_000


@pytest.mark.parametrize("code", [403, 503])
def test_so_it_does_where_the_gateway_may_not_be_used_or_does_not_answer(guest: Guest, code: int) -> None:
    guest.kubectl(code)
    assert asyncio.run(_said("console", b"ls\n")) == b"hello LS\n"


def test_a_gateway_that_says_no_is_told_in_its_own_words(guest: Guest) -> None:
    guest.kubectl(409, "desk is not up yet, or has ended")
    with pytest.raises(NoStream, match="console: desk is not up yet, or has ended"):
        asyncio.run(_said("console", b"x"))


def test_who_may_not_exec_either_gets_kubectls_words(guest: Guest) -> None:
    guest.kubectl(403, refused='Error from server (Forbidden): cannot create resource "pods/exec"')
    with pytest.raises(NoStream, match=r"pods/exec"):
        asyncio.run(_said("vnc", b"x"))


def test_each_viewer_on_a_port_has_a_stream_of_its_own(guest: Guest) -> None:
    async def looked() -> list[bytes]:
        async with source(Kubectl(), MACHINE, "vnc") as found, Forward(found).listening(Where()) as place:
            viewers = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(2)]
            said = []
            for number, (reader, writer) in enumerate(viewers):
                writer.write(f"viewer {number}".encode())
                said.append(await reader.readexactly(len("hello viewer 0")))
            for _, writer in viewers:
                writer.close()
            return said

    assert asyncio.run(looked()) == [b"hello VIEWER 0", b"hello VIEWER 1"]


def test_a_socket_is_for_its_owner_alone_and_goes_with_the_command(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "desk.vnc"

    async def looked() -> int:
        async with source(Kubectl(), MACHINE, "vnc") as found, Forward(found).listening(Where(socket=path)) as place:
            assert place.address("spice") == f"spice+unix://{path}"
            reader, writer = await asyncio.open_unix_connection(path)
            assert await reader.readexactly(6) == b"hello "
            writer.close()
            return path.stat().st_mode & 0o777

    assert asyncio.run(looked()) == 0o600
    assert not path.exists()


def test_a_path_that_is_there_is_left_alone(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("precious")

    async def looked() -> None:
        async with source(Kubectl(), MACHINE, "vnc") as found, Forward(found).listening(Where(socket=path)):
            pass

    with pytest.raises(CannotWrite, match="is there already: name another one"):
        asyncio.run(looked())
    assert path.read_text() == "precious"


def test_a_forward_tells_why_a_viewer_got_nothing(guest: Guest) -> None:
    guest.kubectl(409, "desk has ended")

    async def looked() -> None:
        async with source(Kubectl(), MACHINE, "vnc") as found:
            forward = Forward(found)
            async with forward.listening(Where()) as place:
                await asyncio.open_connection("127.0.0.1", place.port)
                await asyncio.wait_for(forward.failed(), 10)

    with pytest.raises(NoStream, match="vnc: desk has ended"):
        asyncio.run(looked())


def _console(stdin: Any) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "libvf_cli", "console", "desk"]
    return subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_console_ends_when_the_guest_does(guest: Guest) -> None:
    told = _console(subprocess.PIPE).communicate(b"halt\n", timeout=30)
    assert told[0] == b"hello "
    assert b"console of desk: Ctrl-] leaves it" in told[1]


def test_on_a_terminal_keys_go_as_they_are_and_ctrl_bracket_leaves(guest: Guest) -> None:
    ours, theirs = pty.openpty()
    process = _console(theirs)
    assert process.stdout is not None
    assert process.stdout.read(6) == b"hello "
    os.write(ours, b"\x03q\r")  # Ctrl-C is the guest's
    assert process.stdout.read(3) == b"\x03Q\r"
    os.write(ours, b"\x1d")
    assert process.wait(30) == 0


VIEWER = """#!{python}
import socket, sys
host, port = sys.argv[1].removeprefix("vnc://").split(":")
with socket.create_connection((host, int(port)), 30) as screen:
    open({heard!r}, "wb").write(screen.recv(6, socket.MSG_WAITALL))
"""


def test_without_a_page_a_viewer_is_started_and_its_end_is_the_end(
    guest: Guest, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    viewer = tmp_path / "bin" / "remote-viewer"
    viewer.write_text(VIEWER.format(python=sys.executable, heard=str(tmp_path / "heard")))
    viewer.chmod(0o755)
    assert main(["vnc", "desk"]) == 0
    assert (tmp_path / "heard").read_bytes() == b"hello "
    told = capfd.readouterr()
    assert told.out.startswith("vnc of desk at vnc://127.0.0.1:")
    assert "no page for a browser, so a viewer is used: the gateway is not installed" in told.err


def test_with_a_gateway_its_page_opens_in_the_browser(guest: Guest, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "kubectl"
    answer = json.dumps(MACHINE)
    program.write_text(
        f"#!{sys.executable}\nimport sys, time\nif 'proxy' in sys.argv:\n"
        "    print('Starting to serve on 127.0.0.1:40404', flush=True); time.sleep(60)\n"
        f"print({answer!r})\n"
    )
    browser = tmp_path / "bin" / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    opened = tmp_path / "opened"
    with interruptible("vnc", "desk", env={**os.environ, "BROWSER": str(browser)}, stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not (opened.exists() and opened.read_text().endswith("\n")) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    base = "http://127.0.0.1:40404/apis/subresources.libvf.io/v1alpha1"
    assert opened.read_text() == f"{base}/console/#/team/desk\n"


def test_a_machine_that_is_off_has_no_screen(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(MACHINE, "status", {})
    guest.kubectl()
    assert main(["vnc", "desk", "--port", "0"]) == 1
    assert "desk does not run" in capsys.readouterr().err
