"""Disks: where each one's file is, and what has to be made before QEMU starts. Pure, but for `make`."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from libvf_api.quantity import to_bytes
from libvf_api.v1alpha1 import Cdrom, Disk, VirtualMachineSpec

from libvf_launcher.errors import BadMachine
from libvf_launcher.paths import Paths

DEFAULT_PATH = "disk.img"


@dataclass(frozen=True, slots=True)
class Drive:
    """A disk as QEMU attaches it; `base` is the file that `file` is an overlay of, `size` in bytes if it is blank."""

    name: str
    file: Path
    format: str
    bus: str = "virtio"
    read_only: bool = False
    cdrom: bool = False
    base: Path | None = None
    base_format: str = "raw"
    size: int | None = None


def drives(spec: VirtualMachineSpec, paths: Paths) -> list[Drive]:
    """All drives in boot order: disks, then CD-ROMs."""
    disks = [_disk(disk, paths) for disk in spec.disks or ()]
    return disks + [_cdrom(cdrom, paths) for cdrom in spec.cdroms or ()]


def make(drive: Drive) -> None:
    """Make the overlay or the blank disk of this run; raises BadMachine with qemu-img's words."""
    if drive.file.exists() or (drive.base is None and drive.size is None):
        return
    source = drive.base or drive.file
    if drive.size is None and not source.exists():
        raise BadMachine(f"disk {drive.name}: there is no {source.name} in its volume: check the disk's path")
    argv = ["qemu-img", "create", "-q", "-f", "qcow2"]
    if drive.base:
        argv += ["-F", drive.base_format, "-b", str(drive.base)]
    argv += [str(drive.file)] + ([str(drive.size)] if drive.size else [])
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise BadMachine(f"disk {drive.name}: {done.stderr.strip()}")


def _disk(disk: Disk, paths: Paths) -> Drive:
    bus, read_only = disk.bus or "virtio", bool(disk.read_only)
    if disk.size:
        file = paths.state / f"{disk.name}.qcow2"
        return Drive(disk.name, file, "qcow2", bus, read_only, size=to_bytes(disk.size))
    source, fixed = _source(disk, paths)
    format_ = disk.format or "raw"
    if fixed and not read_only:
        overlay = paths.state / f"{disk.name}.qcow2"
        return Drive(disk.name, overlay, "qcow2", bus, base=source, base_format=format_)
    return Drive(disk.name, source, format_, bus, read_only)


def _cdrom(cdrom: Cdrom, paths: Paths) -> Drive:
    source, _ = _source(cdrom, paths)
    return Drive(cdrom.name, source, "raw", "sata", read_only=True, cdrom=True)


def _source(disk: Disk | Cdrom, paths: Paths) -> tuple[Path, bool]:
    """The source's file, and whether it may not be written (an image volume is read-only)."""
    volume = paths.volume(disk.name)
    if disk.image:
        return volume / (disk.image.path or DEFAULT_PATH), True
    if disk.persistent_volume_claim:
        return volume / (disk.persistent_volume_claim.path or DEFAULT_PATH), False
    return volume / "disk", False
