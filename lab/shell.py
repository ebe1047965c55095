"""Running other programs: to the end with their words kept, or in the background with a pid file."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab.errors import CommandFailed, LabError, NotReady


def run(
    argv: Sequence[object],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    warnings: bool = True,
) -> str:
    """Run a program to its end and return what it printed; raises CommandFailed with its last words.

    Without `warnings` what it says on standard error is not among what it printed, unless it fails.
    """
    words = [str(word) for word in argv]
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if warnings else subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise CommandFailed(words, done.returncode, done.stdout + (done.stderr or ""))
    return done.stdout


class Daemon:
    """A background program known by a pid file and a log, so that another run of the lab can end it."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self.pid_file = directory / f"{name}.pid"
        self.log = directory / f"{name}.log"

    def start(self, argv: Sequence[object], env: Mapping[str, str] | None = None) -> None:
        """Start it in a session of its own, unless it runs already."""
        if self.running():
            return
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(word) for word in argv],
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid_file.write_text(f"{process.pid} {_started(process.pid)}")

    def running(self) -> bool:
        """Whether the process we started still lives; a reused pid is told apart by its start time."""
        pid = self.pid()
        return pid is not None

    def pid(self) -> int | None:
        """The live process's id, or None."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        _reap(int(pid))
        return int(pid) if _started(int(pid)) == started else None

    def stop(self, grace: float = 10.0, with_signal: int = signal.SIGTERM) -> None:
        """End it: politely, then by SIGKILL after the grace period in seconds."""
        deadline = time.monotonic() + grace
        while (pid := self.pid()) is not None:
            os.kill(pid, with_signal if time.monotonic() < deadline else signal.SIGKILL)
            time.sleep(0.2)
        self.pid_file.unlink(missing_ok=True)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def wait_until(what: str, ready: Callable[[], bool], daemon: Daemon, seconds: float) -> None:
    """Poll until ready; raises LabError at once if the daemon dies, NotReady when time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not daemon.running():
            raise LabError(f"{daemon.name} ended before {what} was ready:\n{daemon.last_words()}")
        if time.monotonic() > deadline:
            raise NotReady(what, seconds, daemon.log)
        time.sleep(0.5)


def _started(pid: int) -> str:
    """The process's start time in clock ticks since boot: field 22 of /proc/PID/stat (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] == "Z" else fields[19]


def _reap(pid: int) -> None:
    """Collect the process if it was our own child, so that a zombie does not look alive."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
