"""Making what a drive needs before QEMU starts: overlays and blank disks, each once.

A file gets its name when it is whole, so that a launcher that is killed in between leaves nothing that looks made.
"""

import os
import subprocess
from pathlib import Path

from libvf_launcher import base, locks
from libvf_launcher.disks import Drive
from libvf_launcher.errors import BadMachine

_QCOW2_SIZE = slice(24, 32)  # of its header: the size that the guest sees, in bytes, big-endian (QEMU's interop/qcow2)


def make(drive: Drive) -> None:
    """Make the file of a drive where it is not there; raises BadMachine, DiskInUse and BaseChanged."""
    if drive.base:
        _overlay(drive, drive.base)
    elif drive.size is not None:
        _blank(drive, drive.size)
    elif not drive.file.exists():
        raise BadMachine(_missing(drive, drive.file))


def _overlay(drive: Drive, source: Path) -> None:
    if not source.exists():
        raise BadMachine(_missing(drive, source))
    record = drive.file.with_suffix(".json")
    if drive.kept and drive.file.exists():
        return base.check(drive.name, base.look(drive.called, source), record)
    if not drive.file.exists():
        drive.file.parent.mkdir(parents=True, exist_ok=True)
        if drive.kept:
            base.write(base.look(drive.called, source), record)
        _create(drive, ["-F", drive.base_format, "-b", str(source)], [])
    return None


def _blank(drive: Drive, size: int) -> None:
    if not drive.file.exists():
        drive.file.parent.mkdir(parents=True, exist_ok=True)
        _create(drive, [], [str(size)])
    elif drive.kept and _size(drive.file) < size:
        _run(drive, ["qemu-img", "resize", "-q", "-f", drive.format, str(drive.file), str(size)])


def _create(drive: Drive, options: list[str], size: list[str]) -> None:
    partial = drive.file.with_name(f".{drive.file.name}.partial")
    _run(drive, ["qemu-img", "create", "-q", "-f", drive.format, *options, str(partial), *size])
    with partial.open("rb") as handle:
        os.fsync(handle.fileno())
    partial.rename(drive.file)


def _run(drive: Drive, argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode and locks.refused(done.stderr):
        raise locks.in_use(f"disk {drive.name}", done.stderr.strip())
    if done.returncode:
        raise BadMachine(f"disk {drive.name}: {done.stderr.strip()}")


def _size(qcow2: Path) -> int:
    with qcow2.open("rb") as handle:
        return int.from_bytes(handle.read(_QCOW2_SIZE.stop)[_QCOW2_SIZE])


def _missing(drive: Drive, file: Path) -> str:
    what = "CD-ROM" if drive.cdrom else "disk"
    return f"{what} {drive.name}: there is no {file.name} in its volume: check the {what}'s path"
