"""Disks and CD-ROMs: where each one's file is, what has to be made of it, and in which order they boot. Pure."""

from dataclasses import dataclass
from pathlib import Path

from libvf_api import names
from libvf_api.quantity import to_bytes
from libvf_api.v1alpha1 import Cdrom, Disk, VirtualMachineSpec

from libvf_launcher.paths import Paths


@dataclass(frozen=True, slots=True)
class Drive:
    """A disk as QEMU attaches it.

    `base` is the file that `file` is an overlay of, `called` what the spec calls it; `size` in bytes if it is blank;
    `kept` tells that it is there again at the next start.
    """

    name: str
    file: Path
    format: str
    bus: str = "virtio"
    read_only: bool = False
    cdrom: bool = False
    base: Path | None = None
    base_format: str = "raw"
    called: str = ""
    size: int | None = None
    kept: bool = False


def drives(spec: VirtualMachineSpec, paths: Paths) -> list[Drive]:
    """All drives in boot order: disks, then CD-ROMs; where one is installed from another, these two come first."""
    disks = [_disk(disk, paths) for disk in spec.disks or ()]
    found = disks + [_cdrom(cdrom, paths) for cdrom in spec.cdroms or ()]
    if spec.install:
        # the disk first: it does not boot while it is blank, and must at the installer's own reboot
        order = (spec.install.disk, spec.install.iso)
        found.sort(key=lambda drive: order.index(drive.name) if drive.name in order else len(order))
    return found


def _disk(disk: Disk, paths: Paths) -> Drive:
    bus, read_only = disk.bus or "virtio", bool(disk.read_only)
    kept = disk.changes == "Keep"
    own = (paths.kept_disks if kept else paths.state) / f"{disk.name}.qcow2"
    if disk.size:
        return Drive(disk.name, own, "qcow2", bus, read_only, size=to_bytes(disk.size), kept=kept)
    source, called = _source(disk, paths)
    format_ = disk.format or "raw"
    changes = disk.changes or ("Discard" if disk.image and not read_only else "Source")
    if changes != "Source":
        return Drive(disk.name, own, "qcow2", bus, base=source, base_format=format_, called=called, kept=kept)
    volume = disk.persistent_volume_claim
    size = to_bytes(volume.create) if volume and volume.create else None
    return Drive(disk.name, source, format_, bus, read_only, size=size)


def _cdrom(cdrom: Cdrom, paths: Paths) -> Drive:
    source, _ = _source(cdrom, paths)
    return Drive(cdrom.name, source, "raw", "sata", read_only=True, cdrom=True)


def _source(disk: Disk | Cdrom, paths: Paths) -> tuple[Path, str]:
    """The source's file, and what the spec calls it."""
    folder = paths.volume(disk.name)
    if disk.image:
        path = disk.image.path or names.DISK_FILE
        return folder / path, f"{path} of image {disk.image.reference}"
    if volume := disk.persistent_volume_claim:
        path = volume.path or names.DISK_FILE
        return folder / path, f"{path} of PersistentVolumeClaim {volume.claim_name}"
    return folder / "disk", f"hostPath {disk.host_path.path if disk.host_path else ''}"
