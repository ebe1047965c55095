"""What a kept overlay was made over: an overlay holds blocks, not files, so over another base it is garbage.

An image that is built to be reproducible has the same size and time in every version, so blocks of it are looked at
too: its begin, where partition tables and superblocks are, and some all over it. That is no digest of the whole, which
would take minutes at each start.
"""

import hashlib
from pathlib import Path

import msgspec

from libvf_launcher.errors import BadMachine, BaseChanged

_BEGIN = 4 << 20
_BLOCK = 4096
_BLOCKS = 256


class Base(msgspec.Struct, frozen=True, rename="camel"):
    """A base as it was: what the spec calls it, bytes, modification time in ns, and a digest of some of its blocks."""

    called: str
    size: int
    modified: int
    blocks: str


def look(called: str, file: Path) -> Base:
    """The base as it is; raises BadMachine where it cannot be read."""
    try:
        found = file.stat()
        return Base(called, found.st_size, found.st_mtime_ns, _digest(file, found.st_size))
    except OSError as error:
        raise BadMachine(f"{called}: {file.name} cannot be read: {error.strerror}: check the disk's path") from error


def write(base: Base, record: Path) -> None:
    """Remember it beside the overlay."""
    record.write_bytes(msgspec.json.format(msgspec.json.encode(base), indent=1) + b"\n")


def check(disk: str, now: Base, record: Path) -> None:
    """Raises BaseChanged where the overlay was made over something else, or where nobody knows."""
    try:
        before = msgspec.json.decode(record.read_bytes(), type=Base)
    except (OSError, msgspec.MsgspecError) as error:
        raise BaseChanged(f"disk {disk}: what its kept overlay was made over is not known: {error}; {_CURE}") from error
    if before != now:
        what = _difference(before, now)
        raise BaseChanged(f"disk {disk}: its kept overlay belongs to another base: {what}; {_CURE}")


_CURE = (
    "bring that base back, or give the disk another name in the spec to begin anew with this one: "
    "what was kept stays on the volume of spec.state"
)


def _difference(before: Base, now: Base) -> str:
    if before.called != now.called:
        return f"{before.called}, not {now.called}"
    if before.size != now.size:
        return f"{now.called} of {before.size} bytes, not {now.size}"
    return f"{now.called} has been written to or replaced since"


def _digest(file: Path, size: int) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        digest.update(handle.read(_BEGIN))
        for number in range(_BLOCKS):
            handle.seek((size * number // _BLOCKS) // _BLOCK * _BLOCK)
            digest.update(handle.read(_BLOCK))
    return digest.hexdigest()
