"""What is in an initramfs: cpio archives of the form newc one after the other, the last ones compressed (cpio(5)).

initramfs-tools writes times into it, so two that were made from the same files differ byte for byte.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from lab.diskcontent import Thing, digest
from lab.errors import LabError

_NEWC = b"070701"
_ZSTD = b"\x28\xb5\x2f\xfd"
_HEADER = 110
_END = "TRAILER!!!"


def content(path: Path) -> dict[str, Thing]:
    """All of it by path, times left out."""
    return dict(_archives(path.read_bytes(), str(path)))


def _archives(data: bytes, where: str) -> Iterator[tuple[str, Thing]]:
    at = 0
    while at < len(data):
        if data.startswith(_NEWC, at):
            name, thing, at = _entry(data, at)
            if name != _END:
                yield name, thing
        elif data.startswith(_ZSTD, at):
            plain = subprocess.run(["zstd", "-dc"], input=data[at:], capture_output=True, check=True).stdout
            yield from _archives(plain, where)
            return
        elif data[at] == 0:  # between archives
            at += 1
        else:
            raise LabError(f"{where}, byte {at}: neither cpio nor zstd begins here")


def _entry(data: bytes, at: int) -> tuple[str, Thing, int]:
    """One file, and where the next begins: eight hex digits a field, name and content padded to four bytes."""
    fields = [int(data[start : start + 8], 16) for start in range(at + len(_NEWC), at + _HEADER, 8)]
    _, mode, uid, gid, _, _, size, *_, major, minor, length, _ = fields
    name_at = at + _HEADER
    content_at = _padded(name_at + length)
    end = content_at + size
    # a device node has its number, a link its target as content
    told = f"{major}:{minor} {digest(data[content_at:end])}"
    name = data[name_at : name_at + length - 1].decode(errors="surrogateescape")
    return name, Thing(mode, uid, gid, told), _padded(end)


def _padded(at: int) -> int:
    return (at + 3) & ~3
