"""`libvf-launcher proxy vnc|spice|serial`: standard input and output are the socket's, for who comes in by exec.

The Pod opens no port; whoever may exec, or whom the gateway lets through, gets the raw bytes of a screen or console.
"""

import fcntl
import os
import socket
import sys
import threading
from pathlib import Path

from libvf_launcher.paths import Paths

SOCKETS = ("vnc", "spice", "serial")
_CHUNK = 1 << 16


def run(paths: Paths, name: str) -> int:
    """Pump until QEMU closes its end, or cannot be reached: then 1, with the reason on standard error.

    When the input ends, QEMU is told so and closes in its turn.
    """
    path = paths.run / f"{name}.sock"
    if name == "serial" and not _alone(paths.run / "serial.lock"):
        print("serial: the console is in use: end the other session first", file=sys.stderr)
        return 1
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError as error:
        print(f"{name}: {_reason(path, error)}", file=sys.stderr)
        return 1
    # a thread for each way: a guest that does not read must not keep what it says
    threading.Thread(target=_inwards, args=(connection,), daemon=True).start()
    return _outwards(connection)


def _alone(lock: Path) -> bool:
    """Whether nobody else reads the serial console: QEMU would leave a second reader waiting without a word.

    The lock is held until this process ends.
    """
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


def _inwards(connection: socket.socket) -> None:
    try:
        while data := os.read(sys.stdin.fileno(), _CHUNK):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return  # QEMU is gone, which the other way tells


def _outwards(connection: socket.socket) -> int:
    while data := _received(connection):
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(sys.stdout.fileno(), view) :]
        except OSError:
            return 1  # nobody reads any more
    return 0


def _received(connection: socket.socket) -> bytes:
    """What comes next; nothing when QEMU has closed, which with input unread is a reset."""
    try:
        return connection.recv(_CHUNK)
    except ConnectionResetError:
        return b""


def _reason(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no {path.name}: the guest does not run yet, or spec.display does not name it"
    return f"{path}: {error.strerror}: the guest has ended, or is just starting"
