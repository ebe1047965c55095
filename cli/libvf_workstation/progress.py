"""Progress lines: what takes more than a few seconds says what it is doing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from libvf_workstation.errors import NotReady

_START = time.monotonic()
TELL_SECONDS = 15.0


def say(message: str) -> None:
    """One line on standard error, with the seconds since the program started."""
    print(f"[{time.monotonic() - _START:6.1f}s] {message}", file=sys.stderr, flush=True)


@contextmanager
def step(message: str) -> Iterator[None]:
    """Says when a slow step begins and how long it took."""
    began = time.monotonic()
    say(f"{message} ...")
    yield
    say(f"{message}: done in {time.monotonic() - began:.1f} s")


def wait_for(what: str, ready: Callable[[], bool], seconds: float, cure: str) -> None:
    """Looks again and again; NotReady with the cure when the time is up."""
    with step(f"waiting for {what}"):
        began = said = time.monotonic()
        while not ready():
            now = time.monotonic()
            if now - began > seconds:
                raise NotReady(f"{what}: not within {seconds:.0f} s: {cure}")
            if now - said > TELL_SECONDS:
                say(f"  {now - began:.0f} of {seconds:.0f} s")
                said = now
            time.sleep(2)
