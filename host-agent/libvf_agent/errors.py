"""What can go wrong on a host, as one tree.

    AgentError
    +-- SysfsError              a kernel file said no
    |   +-- Absent              the file or its device is not there (ENOENT, ENODEV)
    |   +-- AlreadyThere        the kernel has it already (EEXIST)
    |   +-- Full                no instance or no memory is left (ENOSPC, EUSERS, ENOMEM)
    |   +-- Busy                something holds it (EBUSY, EAGAIN), or the write did not return in time
    |   +-- Refused             any other errno
    +-- NotOurs                 the device exists and somebody else made it
    +-- JournalError            the journal can not be read or is held by another process
    +-- ClaimError              the claim is not what kubelet said it is
    |   +-- BadConfig           its configuration for this driver is not understood
    +-- ClusterError            the API server said no
    +-- CaptureError            a host can not be captured as asked
    |   +-- CaptureTooBig       what there is to capture is more than an archive takes
    +-- PreparationError        the host can not be prepared, or not taken back
        +-- UnknownLayout       how this host boots is not known
        +-- ChangedSince        somebody else changed a file since it was written
        +-- CommandFailed       a program of the host said no

`retry` tells whether the same call may succeed some seconds later without anybody acting.
"""

from __future__ import annotations

import errno


class AgentError(Exception):
    """Something failed; the text says what, where and the cure."""

    retry = False


class SysfsError(AgentError):
    """A kernel file refused."""


class Absent(SysfsError):
    """The file, or the device behind it, is not there."""

    retry = True


class AlreadyThere(SysfsError):
    """The kernel has a device of that name already."""


class Full(SysfsError):
    """No instance, or no memory of the card, is left."""

    retry = True


class Busy(SysfsError):
    """Something holds the device, or the kernel did not answer within the deadline."""

    retry = True


class Refused(SysfsError):
    """The kernel does not accept the value."""


class NotOurs(AgentError):
    """A device of that name exists and was not made by this journal."""


class JournalError(AgentError):
    """The journal can not be used."""


class ClaimError(AgentError):
    """The claim is not what kubelet said it is."""

    retry = True


class BadConfig(ClaimError):
    """The claim's configuration for this driver is not understood; a claim's spec never changes."""

    retry = False


class ClusterError(AgentError):
    """The API server refused or did not answer; `status` is the HTTP code, 0 without an answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.retry = status in (0, 409, 429) or status >= 500


class CaptureError(AgentError):
    """The host can not be captured as asked."""


class CaptureTooBig(CaptureError):
    """What there is to capture is more than an archive takes."""


class PreparationError(AgentError):
    """The host can not be prepared as asked, or not taken back."""


class UnknownLayout(PreparationError):
    """How this host boots, or makes its initramfs, is not known."""


class ChangedSince(PreparationError):
    """Somebody else changed a file since it was written here."""


class CommandFailed(PreparationError):
    """A program of the host is missing, failed or did not end."""


_BY_ERRNO: dict[int, type[SysfsError]] = {
    errno.ENOENT: Absent,
    errno.ENODEV: Absent,
    errno.EEXIST: AlreadyThere,
    errno.ENOSPC: Full,
    errno.EUSERS: Full,
    errno.ENOMEM: Full,  # ttm_bo.c says so where a card's memory has run out
    errno.EBUSY: Busy,
    errno.EAGAIN: Busy,
}

_CURES: dict[type[SysfsError], str] = {
    Absent: "the driver or the device went away; load the driver, then it is looked at again",
    AlreadyThere: "remove the device of that name or use another claim",
    Full: "delete a partition on this card or ask for a smaller one",
    Busy: "stop what holds the device",
    Refused: "the driver does not accept this; see the kernel log of this node",
}


def from_os(error: OSError, action: str) -> SysfsError:
    """The typed error for an errno; `action` says what was done to which file or program, the cure comes after it."""
    kind = _BY_ERRNO.get(error.errno or 0, Refused)
    name = errno.errorcode.get(error.errno or 0, "unknown error")
    return kind(f"{action}: {name} ({error.strerror}): {_CURES[kind]}")
