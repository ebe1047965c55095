"""What the workers of one parallel run tell each other: which tests are done, and where their labs are.

A run without workers is one worker.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
_FOLDER = Path(__file__).resolve().parents[1] / "out" / "tests" / _RUN
_WAIT_SECONDS = 1800.0


def several() -> bool:
    """Whether this is one worker of more."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1


def finished(test: str) -> None:
    """Tell that a test has run here."""
    _append("done", test)


def has_lab(directory: Path) -> None:
    """Tell where this worker's lab has its state."""
    _append("labs", str(directory))


def labs() -> list[Path]:
    """The labs of all workers."""
    return [Path(line) for line in sorted(_lines("labs"))]


def wait_for(tests: Iterable[str]) -> None:
    """Wait until all these have run, here or on another worker; fails with those that have not."""
    wanted, deadline = set(tests), time.monotonic() + _WAIT_SECONDS
    while missing := wanted - _lines("done"):
        assert time.monotonic() < deadline, f"these never ran: {sorted(missing)[:5]}"
        time.sleep(1)


def _append(what: str, line: str) -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / f"{what}-{_WORKER}").open("a") as file:
        file.write(line + "\n")


def _lines(what: str) -> set[str]:
    return {line for file in _FOLDER.glob(f"{what}-*") for line in file.read_text().splitlines()}
