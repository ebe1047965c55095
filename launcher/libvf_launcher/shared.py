"""What the guest puts into shared memory, for `libvf-launcher frame` and `sound`."""

import mmap
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from libvf_launcher import kvmfr, png, scream
from libvf_launcher.kvmfr import Frame, NoFrame
from libvf_launcher.scream import NoSound

_LOOKS = 50
_EVERY = 0.02  # seconds: a frame is whole again after one or two, and a chunk of sound is written in ten


def save_frame(memory: Path, picture: Path) -> Frame:
    """Write the last frame as a PNG; raises NoFrame."""
    with _mapped(memory, NoFrame("spec.display has no lookingGlass: add it, and restart the machine")) as view:
        frame = _whole(view)
    picture.write_bytes(png.encode(frame.width, frame.height, _rows(frame)))
    return frame


def save_sound(memory: Path, file: Path, seconds: float) -> float:
    """Write what is played in that time as a WAV; returns the seconds of sound; raises NoSound."""
    with _mapped(memory, NoSound("spec.audio is not scream: set it, and restart the machine")) as view:
        first = now = scream.ring(view)
        heard, until = first.last, time.monotonic() + seconds
        played = bytearray()
        while time.monotonic() < until:
            time.sleep(_EVERY)
            now = scream.ring(view)
            if now.format != first.format:
                raise NoSound("the format of the sound changed meanwhile: try again")
            played += scream.since(view, heard, now)
            heard = now.last
    sound = first.format
    with wave.open(str(file), "wb") as out:
        out.setnchannels(sound.channels)
        out.setsampwidth(sound.bits // 8)
        out.setframerate(sound.rate)
        out.writeframes(bytes(played))
    return len(played) / (sound.rate * sound.channels * sound.bits // 8)


def _whole(view: memoryview) -> Frame:
    """The last frame; one that is torn by the next is looked at again."""
    for _ in range(_LOOKS):
        try:
            return kvmfr.last_frame(view)
        except NoFrame as error:
            last = error
            time.sleep(_EVERY)
    raise last


def _rows(frame: Frame) -> Iterator[bytes]:
    for y in range(frame.height):
        row = frame.pixels[y * frame.pitch : y * frame.pitch + frame.width * 4]
        plain = bytearray(frame.width * 3)
        plain[0::3], plain[1::3], plain[2::3] = row[frame.red :: 4], row[1::4], row[frame.blue :: 4]
        yield bytes(plain)


@contextmanager
def _mapped(memory: Path, missing: NoFrame | NoSound) -> Iterator[memoryview]:
    try:
        file = memory.open("rb")
    except FileNotFoundError as error:
        raise missing from error
    with file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
        yield view
