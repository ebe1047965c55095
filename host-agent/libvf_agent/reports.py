"""Where launchers tell what their guests say: a socket for each claim, in a folder that CDI mounts read-only.

Sockets are read now and then instead of as soon as something comes, so that who floods one costs nothing: what does
not fit into its queue waits at the sender (unix(7), net.unix.max_dgram_qlen).
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
from pathlib import Path

from libvf_api import guest_report
from libvf_api.guest_report import BadReport, Guest
from libvf_api.names import QEMU_ID

log = logging.getLogger("libvf.reports")

_READ_AT_ONCE = 16


def folder(home: Path, uid: str) -> Path:
    """A claim's folder."""
    return home / uid


def make(home: Path, uid: str) -> None:
    """Make a claim's folder; its socket comes with the next `heard`."""
    folder(home, uid).mkdir(parents=True, exist_ok=True)


def remove(home: Path, uid: str) -> None:
    """Take it away."""
    shutil.rmtree(folder(home, uid), ignore_errors=True)


class Reports:
    """The sockets of all claims that have a folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open: dict[str, socket.socket] = {}

    def heard(self) -> dict[str, Guest]:
        """What each guest said last, of those that said something since the last call."""
        self._follow()
        said = {uid: _last(uid, line) for uid, line in self._open.items()}
        return {uid: guest for uid, guest in said.items() if guest is not None}

    def close(self) -> None:
        """Stop listening."""
        for line in self._open.values():
            line.close()
        self._open.clear()

    def _follow(self) -> None:
        there = {entry.name for entry in os.scandir(self._home)} if self._home.is_dir() else set()
        for uid in self._open.keys() - there:
            self._open.pop(uid).close()
        for uid in there - self._open.keys():
            try:
                self._open[uid] = _listen(folder(self._home, uid))
            except OSError as error:
                log.warning("not listening to a guest", extra={"claim": uid, "error": str(error)})


def _listen(place: Path) -> socket.socket:
    """Bound by way of the folder's number in this process: a socket's path has at most 107 characters."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    number = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        path = Path(f"/proc/self/fd/{number}/{guest_report.SOCKET}")
        path.unlink(missing_ok=True)
        line.bind(str(path))
        os.chown(path, QEMU_ID, QEMU_ID)
        path.chmod(0o600)
    except OSError:
        line.close()
        raise
    finally:
        os.close(number)
    return line


def _last(uid: str, line: socket.socket) -> Guest | None:
    said = None
    for _ in range(_READ_AT_ONCE):
        try:
            said = guest_report.decode(line.recv(guest_report.MAX_BYTES + 1))
        except BlockingIOError:
            break
        except BadReport as error:
            log.warning("a launcher's report is not understood", extra={"claim": uid, "error": str(error)[:200]})
    return said
