"""A guest's vsock: the number by which its host reaches it (CID), allotted here because the whole kernel shares them.

The kernel refuses a number that some guest of the host has already, whoever runs it, and says so only when that is set
(drivers/vhost/vsock.c: EADDRINUSE, for as long as the file is open). So one is taken that no claim of the journal has,
and the kernel is asked about it before it is promised. 0 to 2 and the highest are reserved (vsock(7)).
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Protocol

import msgspec

from libvf_agent.errors import ClaimError
from libvf_agent.journal import Entry, Slice
from libvf_agent.kvm import accelerated as opens

KIND = "vsock"
CID = "vsockCid"
DEVICE = "/dev/vhost-vsock"
FIRST, COUNT = 1 << 30, 1 << 30
"""Where ours are: far from the small numbers that others count up from, and within 31 bits for who reads an int32."""

_TRIES = 64
_SET_GUEST_CID = 0x4008AF60  # linux/vhost.h: _IOW(0xAF, 0x60, __u64)


class Vsock(Protocol):
    """What the kernel says of guests' vsocks."""

    def offered(self) -> bool:
        """Whether guests of this host can have one."""

    def taken(self, cid: int) -> bool:
        """Whether a guest has this number now."""


class Vhost:
    """The kernel's own answers, by its device node."""

    def __init__(self, device: str = DEVICE) -> None:
        self._device = device

    def offered(self) -> bool:
        """Whether the node can be opened, which loads the module where the host has it."""
        return opens(self._device)

    def taken(self, cid: int) -> bool:
        """Takes the number for a moment; OSError where the node is none of vhost."""
        handle = os.open(self._device, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(handle, _SET_GUEST_CID, struct.pack("=Q", cid))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return True
        finally:
            os.close(handle)
        return False


def is_vsock(piece: Slice) -> bool:
    """Whether the allocated device is a vsock."""
    return piece.plan is None and piece.device == KIND


def allotted(entry: Entry, others: Iterable[Entry], kernel: Vsock) -> Entry:
    """The entry with a number for each vsock in it, one that none of the other entries and no guest has.

    Raises ClaimError where there is none to be had.
    """
    pieces = (piece for other in others if other.uid != entry.uid for piece in other.slices)
    held = {piece.facts[CID] for piece in pieces if CID in piece.facts}
    slices: list[Slice] = []
    for index, piece in enumerate(entry.slices):
        if is_vsock(piece):
            if not kernel.offered():
                raise ClaimError(f"{DEVICE} can not be opened: load the module vhost_vsock on this node")
            cid = _free(_candidates(f"{entry.uid}/{index}"), held, kernel)
            held.add(cid)
            piece = msgspec.structs.replace(piece, facts={CID: cid})
        slices.append(piece)
    return msgspec.structs.replace(entry, slices=tuple(slices))


def _free(candidates: Iterable[int], held: set[str | int | bool], kernel: Vsock) -> int:
    for cid in candidates:
        try:
            if cid not in held and not kernel.taken(cid):
                return cid
        except OSError as error:
            raise ClaimError(f"{DEVICE} tells no free number ({error.strerror}): is it the kernel's own?") from error
    raise ClaimError(f"none of {_TRIES} numbers for a vsock is free on this host: end guests that have one")


def _candidates(key: str) -> Iterator[int]:
    """Numbers to try, the same ones for the same claim."""
    start = int.from_bytes(sha256(key.encode()).digest()[:4])
    return (FIRST + (start + step) % COUNT for step in range(_TRIES))
