"""Progress lines: anything that takes more than a few seconds says what it is doing."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]

_START = time.monotonic()


def say(message: str) -> None:
    """Print one line on standard error with the seconds since the program started."""
    print(f"[{time.monotonic() - _START:6.1f}s] {message}", file=sys.stderr, flush=True)


@contextmanager
def step(message: str) -> Iterator[None]:
    """Say when a slow step begins and how long it took."""
    began = time.monotonic()
    say(f"{message} ...")
    yield
    say(f"{message}: done in {time.monotonic() - began:.1f} s")
