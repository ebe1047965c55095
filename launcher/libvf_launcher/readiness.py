"""Whether the guest runs, for kubelet: a file that is there while it does, and a pipe that tells the first time.

A probe is a process that the runtime puts into the container, which costs more than all it does there. So the one for
the start is asked once and waits, and waiting at a pipe (fifo(7)) costs nothing and ends at once.
"""

import os

from libvf_launcher.paths import Paths

_READERS = 16


class Readiness:
    """Begins with a guest that does not run; what a run before left is taken away."""

    def __init__(self, paths: Paths) -> None:
        self._ready, self._started = paths.ready, paths.started
        self._pipe: int | None = None
        self._ready.unlink(missing_ok=True)
        self._started.unlink(missing_ok=True)
        os.mkfifo(self._started, 0o600)

    def tell(self, running: bool) -> None:
        """Keep both in step."""
        if not running:
            self._ready.unlink(missing_ok=True)
            return
        self._ready.touch()
        if self._pipe is None:
            # open at both ends it never blocks, and keeps a line for whoever comes to read later
            self._pipe = os.open(self._started, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            os.write(self._pipe, b"\n" * _READERS)
