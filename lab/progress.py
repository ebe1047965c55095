"""Progress lines: anything that takes more than a few seconds says what it is doing."""

import time
from collections.abc import Callable

from libvf_workstation.progress import TELL_SECONDS, say, step

__all__ = ["TELL_SECONDS", "Say", "Wait", "say", "step"]

Say = Callable[[str], None]


class Wait:
    """A wait for `what`, of so many seconds at most, that tells now and then how long it has been."""

    def __init__(self, what: str, seconds: float) -> None:
        self.what = what
        self.seconds = seconds
        self._began = self._told = time.monotonic()

    @property
    def left(self) -> float:
        """The seconds that are left, zero when time is up."""
        return max(0.0, self._began + self.seconds - time.monotonic())

    def tell(self, seen: str = "") -> None:
        """Call it often: it says something every TELL_SECONDS; `seen` is what was seen last."""
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            say(f"waiting for {self.what}, {now - self._began:.0f} of {self.seconds:.0f} s{seen and f': {seen}'}")
            self._told = now
