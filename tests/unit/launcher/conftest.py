"""What every test of the launcher is held to."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_ENDS_SECONDS = 10


@pytest.fixture(autouse=True)
def nothing_runs_on(tmp_path: Path) -> Iterator[None]:
    """A program that a test left behind would slow down all that come after it."""
    yield
    deadline = time.monotonic() + _ENDS_SECONDS
    while left := [command for command in _running() if str(tmp_path) in command]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _running() -> list[str]:
    """The command lines of all processes; one that has ended has none."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
