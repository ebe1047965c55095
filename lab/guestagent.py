"""QEMU's guest agent: commands run in a machine that has no network, through a virtio serial port.

The protocol is one JSON object a line, without a greeting; a reader that came late is put in step by
guest-sync-delimited, whose answer follows a byte 0xFF that no JSON has.
"""

import base64
import itertools
import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.progress import Wait

PORT = "org.qemu.guest_agent.0"
_PING_SECONDS = 3.0
_ANSWER_SECONDS = 60.0
_POLL_SECONDS = 0.25
_SLICE_SECONDS = 5.0
_SENTINEL = b"\xff"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended: its code and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class GuestAgent:
    """The agent behind a port whose other end is a unix socket of QEMU's."""

    socket: Path

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            with _Line(self.socket, Wait("the guest agent", _PING_SECONDS)) as line:
                line.call("guest-ping")
        except (LabError, OSError):
            return False
        return True

    def execute(self, argv: Sequence[str], stdin: bytes, seconds: float) -> Done:
        """Run a program as root to its end; raises LabError where it is not done in time."""
        given = base64.b64encode(stdin).decode()
        order = {"path": argv[0], "arg": list(argv[1:]), "capture-output": True, "input-data": given}
        wait = Wait(f"`{' '.join(argv)[:100]}` in the machine", seconds)
        # one connection for all of it: the agent tells the end of a program once, and that answer must not get lost
        with _Line(self.socket, wait) as line:
            pid = line.call("guest-exec", order)["pid"]
            while not (status := line.call("guest-exec-status", {"pid": pid}))["exited"]:
                if not wait.left:
                    raise LabError(f"{wait.what}, behind {self.socket}, was not done within {seconds:.0f} s")
                wait.tell()
                time.sleep(_POLL_SECONDS)
        out, err = (base64.b64decode(status.get(f"{name}-data", "")) for name in ("out", "err"))
        code = status.get("exitcode", -int(status.get("signal", 0)))
        return Done(code, out.decode(errors="replace"), err.decode(errors="replace"))

    def power_off(self) -> None:
        """Ask for an orderly shutdown; there is no answer to this one."""
        with _Line(self.socket, Wait("the guest agent", _ANSWER_SECONDS)) as line:
            line.send("guest-shutdown", {"mode": "powerdown"})


class _Line:
    """One connection, in step; it ends when the wait does."""

    def __init__(self, path: Path, wait: Wait) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._where = path
        self._wait = wait
        self._left = b""

    def __enter__(self) -> "_Line":
        try:
            self._synchronise()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, command: str, arguments: dict[str, Any] | None = None) -> Any:
        """What it answers."""
        self.send(command, arguments or {})
        return self._answer(command)

    def send(self, command: str, arguments: dict[str, Any]) -> None:
        """A command without waiting for its answer."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")

    def _synchronise(self) -> None:
        number = next(_numbers)
        self._socket.settimeout(min(_SLICE_SECONDS, self._wait.seconds))
        self._socket.connect(str(self._where))
        self._socket.sendall(_SENTINEL)
        self.send("guest-sync-delimited", {"id": number})
        answer = None
        while answer != number:  # what answers an earlier connection may come first
            self._until(_SENTINEL)
            answer = self._answer("guest-sync-delimited")

    def _answer(self, command: str) -> Any:
        answer = json.loads(self._until(b"\n"))
        if "error" in answer:
            raise LabError(f"the guest agent refuses {command}: {answer['error'].get('desc', answer['error'])}")
        return answer["return"]

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._left:
            self._left += self._received()
        found, _, self._left = self._left.partition(mark)
        return found

    def _received(self) -> bytes:
        while True:
            try:
                piece = self._socket.recv(1 << 16)
            except TimeoutError as error:
                if not self._wait.left:
                    raise LabError(f"{self._wait.what}: no answer from the agent behind {self._where}") from error
                self._wait.tell("the guest agent is silent")
            else:
                if not piece:
                    raise LabError(f"{self._wait.what}: QEMU closed {self._where}")
                return piece
