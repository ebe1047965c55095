"""When a QEMU is looked at thoroughly: once it has the memory that it touches at first, and seldom from then on. Pure.

What is where does not change by itself: a cpuset holds the memory, and the launcher moves its threads once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

STILL = 0.02
"""Less growth than this share from one glance to the next is none."""

LATEST_SECONDS = 120.0
AGAIN_SECONDS = 3600.0
SOONER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Watched:
    """One QEMU: since when, how much memory it had at the last glance, and when it is to be looked at next."""

    pid: int
    since: float
    touched: int = 0
    due: float | None = None

    def glanced(self, touched: int, now: float) -> Watched:
        """After a glance; `due` is set where it is still by now, or has been growing for long enough."""
        if self.due is not None:
            return replace(self, touched=touched)
        still = self.touched > 0 and touched - self.touched <= STILL * self.touched
        due = now if still or now - self.since >= LATEST_SECONDS else None
        return replace(self, touched=touched, due=due)

    def is_due(self, now: float) -> bool:
        """Whether to look now."""
        return self.due is not None and now >= self.due

    def looked(self, now: float, well: bool) -> Watched:
        """After a look: sooner again where something was not as it should be."""
        return replace(self, due=now + (AGAIN_SECONDS if well else SOONER_SECONDS))
