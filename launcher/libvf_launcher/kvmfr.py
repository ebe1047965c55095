"""Reading the last frame that a Looking Glass host put into its shared memory. Pure.

Layout: LGMP 6 and KVMFR 20, which Looking Glass B7 speaks (lgmp/src/headers.h and common/include/common/KVMFR.h),
little endian, with the natural alignment of x86-64. The guest writes the memory as it likes, so whatever is read is
checked. It is only looked at: a reader that subscribed would slow the guest down whenever it is late.
"""

import struct
from dataclasses import dataclass

MAGIC, LGMP_VERSION, KVMFR_VERSION = 0x504D474C, 6, 20
_QUEUES, _QUEUE_BYTES, _MOST_QUEUES = 32, 1144, 5
_TOLD = 5756  # what the host tells its clients: struct KVMFR
_FRAMES = 2  # the id of the queue of frames
_FRAME = struct.Struct("<14I")
_FRAME_FLAGS = 1080
_TRUNCATED = 0x4
_BGRA, _RGBA = 1, 2


class NoFrame(ValueError):
    """There is no frame to read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture: rows of `pitch` bytes, four bytes a pixel; `red` and `blue` say where in it these are."""

    serial: int
    width: int
    height: int
    pitch: int
    pixels: bytes
    red: int
    blue: int
    truncated: bool


def last_frame(memory: memoryview) -> Frame:
    """The frame that was posted last; raises NoFrame."""
    _check(memory)
    queue = _queue(memory)
    count, position = _u32(memory, queue + 4), _u32(memory, queue + 16)
    if not 0 < count <= 64 or position >= count:
        raise NoFrame("the queue of frames makes no sense: restart the Looking Glass host in the guest")
    message = _u32(memory, queue + 20) + (position - 1) % count * 16
    size, place = _u32(memory, message + 4), _u32(memory, message + 8)
    if size == 0:
        raise NoFrame("the guest has not sent a frame yet: its Looking Glass host sends them while a client looks")
    return _read(memory, place)


def _check(memory: memoryview) -> None:
    if _u32(memory, 0) != MAGIC:
        raise NoFrame("no Looking Glass host has written here: install it in the guest and start it")
    version = _u32(memory, 4)
    magic, kvmfr = bytes(memory[_TOLD : _TOLD + 8]), _u32(memory, _TOLD + 8)
    if version != LGMP_VERSION or magic != b"KVMFR---" or kvmfr != KVMFR_VERSION:
        told = f"the Looking Glass host speaks LGMP {version} and KVMFR {kvmfr}"
        raise NoFrame(f"{told}: install B7, which speaks {LGMP_VERSION} and {KVMFR_VERSION}")


def _queue(memory: memoryview) -> int:
    count = min(_u32(memory, 24), _MOST_QUEUES)
    places = (_QUEUES + number * _QUEUE_BYTES for number in range(count))
    found = next((place for place in places if _u32(memory, place) == _FRAMES), None)
    if found is None:
        raise NoFrame("the Looking Glass host has no queue of frames yet: wait until it captures")
    return found


def _read(memory: memoryview, place: int) -> Frame:
    try:
        head = _FRAME.unpack_from(memory, place)
    except struct.error as error:
        raise _torn() from error
    serial, kind, width, height, pitch, offset = (head[n] for n in (1, 2, 7, 8, 11, 12))
    if kind not in (_BGRA, _RGBA):
        raise NoFrame(f"the frame is of type {kind}, which is not read here: switch HDR off in the guest")
    start, size = place + offset + 4, pitch * height
    whole = 0 < width * 4 <= pitch and height > 0 and start + size <= len(memory)
    if not whole or _u32(memory, place + offset) < size:
        raise _torn()
    pixels = bytes(memory[start : start + size])
    if _u32(memory, place + 4) != serial:
        raise _torn()
    truncated = bool(_u32(memory, place + _FRAME_FLAGS) & _TRUNCATED)
    red, blue = (2, 0) if kind == _BGRA else (0, 2)
    return Frame(serial, width, height, pitch, pixels, red, blue, truncated)


def _torn() -> NoFrame:
    return NoFrame("the frame is being written just now: try again")


def _u32(memory: memoryview, place: int) -> int:
    if not 0 <= place <= len(memory) - 4:
        raise _torn()
    return int.from_bytes(memory[place : place + 4], "little")
