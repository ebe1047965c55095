"""QEMU as a child process: its last words kept, its end explained."""

import asyncio
import signal
from collections import deque
from collections.abc import Sequence

from libvf_api.termination import Termination

from libvf_launcher import locks
from libvf_launcher.errors import LaunchError
from libvf_launcher.meaning import meaning_of
from libvf_launcher.paths import Paths

_LAST_LINES = 20


class Qemu:
    """A running QEMU; what it writes to standard error goes on to ours, the end of it is remembered."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._reader = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, argv: Sequence[str], paths: Paths) -> "Qemu":
        """Start it; its process id is written for people and tests."""
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        paths.qemu_pid.write_text(str(process.pid))
        return cls(process)

    async def wait(self) -> int:
        """Its exit code, negative for the signal that ended it."""
        code = await self.process.wait()
        await self._reader
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.process.returncode is None:
            self.process.kill()

    @property
    def last_words(self) -> str:
        """The end of what it said on standard error."""
        return "\n".join(self._lines)

    async def _listen(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            text = line.decode(errors="replace").rstrip()
            self._lines.append(text)
            print(text, flush=True)


def explain(code: int, last_words: str, shutdown: str | None, asked: bool, killed: bool) -> Termination:
    """Why QEMU ended. Pure.

    `shutdown` is the reason of QMP's SHUTDOWN event (qapi ShutdownCause), `asked` whether we were told to stop,
    `killed` whether the guest did not shut down in its grace period.
    """
    if killed:
        return Termination("Killed", "the guest did not shut down within its grace period and was ended", code)
    if code == 0 and asked:
        return Termination("Stopped", "the guest was shut down as asked", 0)
    if code == 0 and shutdown == "guest-reset":
        return Termination("GuestReset", "the guest rebooted", 0)
    if code == 0 and shutdown == "host-qmp-quit":
        return Termination("Stopped", "QEMU was told to quit, without the guest's consent", 0)
    if code == 0:
        return Termination("GuestShutdown", "the guest shut itself down", 0)
    words = last_words or "it said nothing"
    if locks.refused(words):
        return refused(locks.in_use("a disk", words), code)
    if told := meaning_of(words):
        return Termination(told.reason, f"{told.cure}: {words}", code)
    if code < 0:
        return Termination("QemuExited", f"QEMU was ended by {signal.Signals(-code).name}: {words}", code)
    return Termination("QemuExited", f"QEMU ended with {code}: {words}", code)


def refused(error: LaunchError, code: int = 1) -> Termination:
    """The message of a launch that failed."""
    return Termination(error.reason, str(error), code)
