"""The programs beside QEMU: up before it, ended after it."""

import asyncio
from collections.abc import Sequence

from libvf_launcher.companion import Companion
from libvf_launcher.errors import CompanionFailed

_START_SECONDS = 20
_TOGETHER = 2  # seconds within which those that end with QEMU's connection have ended, and QEMU's own end is known


class Companions:
    """Those that run now."""

    def __init__(self) -> None:
        self._running: list[asyncio.subprocess.Process] = []
        self._watching: list[asyncio.Task[None]] = []

    async def start(self, wanted: Sequence[Companion]) -> None:
        """Start them and wait for their sockets; raises CompanionFailed with the name of the one that does not come.

        What they say goes on to our own output.
        """
        for companion in wanted:
            companion.socket.unlink(missing_ok=True)
            process = await asyncio.create_subprocess_exec(*companion.argv, stdin=asyncio.subprocess.DEVNULL)
            self._running.append(process)
            await _up(companion, process)
            self._watching.append(asyncio.create_task(_tell(companion, process)))

    async def end(self) -> None:
        """End those that have not ended with QEMU."""
        for task in self._watching:
            task.cancel()
        for process in self._running:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.wait() for process in self._running))
        self._running.clear()


async def _tell(companion: Companion, process: asyncio.subprocess.Process) -> None:
    """The guest runs on without it: ending it would cost more than what it has lost."""
    code = await process.wait()
    await asyncio.sleep(_TOGETHER)
    print(f"{companion.name} ended with {code} before the guest: restart the machine to have it again", flush=True)


async def _up(companion: Companion, process: asyncio.subprocess.Process) -> None:
    for _ in range(_START_SECONDS * 20):
        if companion.socket.exists():
            return
        if process.returncode is not None:
            raise CompanionFailed(f"{companion.name} ended with {process.returncode}: see the lines above")
        await asyncio.sleep(0.05)
    raise CompanionFailed(f"{companion.name} did not open {companion.socket} within {_START_SECONDS} s")
