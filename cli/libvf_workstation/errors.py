"""What can go wrong, as one tree; every message says what, where and the cure.

WorkstationError
+-- CommandFailed    a program ended with an error; its last words are in the message
+-- Refused          the host is not as it must be, and nothing was changed
+-- Foreign          something that was not made here is where something must be made
+-- NotReady         something did not come up in time
+-- Left             something of ours is still there after all was taken back
"""

from __future__ import annotations

from collections.abc import Sequence


class WorkstationError(Exception):
    """Something the person at the terminal can act on."""


class CommandFailed(WorkstationError):
    """A program ended with an error."""

    def __init__(self, argv: Sequence[str], code: int, output: str) -> None:
        tail = "\n  ".join(output.strip().splitlines()[-15:])
        super().__init__(f"`{' '.join(argv)[:300]}` ended with {code}:\n  {tail}")


class Refused(WorkstationError):
    """The host is not as it must be; nothing was changed."""


class Foreign(WorkstationError):
    """Something that was not made here is in the way."""


class NotReady(WorkstationError):
    """Something did not come up in time."""


class Left(WorkstationError):
    """Something of ours is still there."""
