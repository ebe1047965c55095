"""Reading the sound that Scream's driver in the guest puts into its shared memory. Pure.

Layout: the header of Scream's own receiver (Receivers/unix/shmem.h), little endian, with the natural alignment of
x86-64; after it a ring of chunks, of which the one last written is numbered in the header.
"""

import struct
from dataclasses import dataclass

MAGIC = 0x11112014
_HEAD = struct.Struct("<IHBxH2xIBBBxH")
_HIGH = 0x80  # of the rate: a multiple of 44100, not of 48000


class NoSound(ValueError):
    """There is no sound to read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Format:
    """Samples as they lie in a chunk: signed, little endian, channels side by side."""

    rate: int
    bits: int
    channels: int


@dataclass(frozen=True, slots=True)
class Ring:
    """The header: where chunks are, and which one was written last."""

    format: Format
    last: int
    start: int
    chunks: int
    chunk: int


def ring(memory: memoryview) -> Ring:
    """What the header says; raises NoSound."""
    magic, last, start, chunks, chunk, rate, bits, channels, _ = _HEAD.unpack_from(memory)
    if magic != MAGIC:
        raise NoSound("Scream has not written here: install it in the guest, set it to IVSHMEM, and play something")
    base = 44100 if rate >= _HIGH else 48000
    sound = Format(base * (rate % _HIGH), bits, channels)
    sensible = 0 < sound.rate <= 768000 and bits in (16, 24, 32) and 0 < channels <= 8
    if not sensible or last >= chunks or chunk == 0 or start + chunks * chunk > len(memory):
        raise NoSound("the header of Scream's memory makes no sense: start the sound in the guest anew")
    return Ring(sound, last, start, chunks, chunk)


def since(memory: memoryview, heard: int, now: Ring) -> bytes:
    """The chunks after number `heard` up to the last; nothing where that is the last."""
    fresh = (now.last - heard) % now.chunks
    places = (now.start + (heard + 1 + n) % now.chunks * now.chunk for n in range(fresh))
    return b"".join(bytes(memory[place : place + now.chunk]) for place in places)
