"""What can go wrong in the lab; every message names the place and the cure."""

from pathlib import Path


class LabError(Exception):
    """Something the person at the terminal can act on."""


class CommandFailed(LabError):
    """A program that the lab runs ended with an error; its last words are in the message."""

    def __init__(self, argv: list[str], code: int, output: str) -> None:
        tail = "\n  ".join(output.strip().splitlines()[-15:])
        super().__init__(f"`{' '.join(argv)[:300]}` ended with {code}:\n  {tail}")


class NotReady(LabError):
    """Something did not come up in time; the message names the log that says why."""

    def __init__(self, what: str, seconds: float, log: Path) -> None:
        super().__init__(f"{what} was not ready within {seconds:.0f} s: see {log}")
