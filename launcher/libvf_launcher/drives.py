"""Disks and CD-ROMs as QEMU attaches them, in boot order."""

from collections.abc import Iterator
from itertools import count

from libvf_launcher.disks import Drive
from libvf_launcher.errors import BadMachine
from libvf_launcher.options import comma

_SATA_PORTS = 6  # of q35's own controller


def arguments(found: list[Drive]) -> Iterator[str]:
    """A block node and a device each; raises BadMachine where SATA has no port left."""
    ports = count()
    for index, drive in enumerate(found):
        node = f"drive-{drive.name}"
        yield from ("-blockdev", _blockdev(drive, node))
        model = "virtio-blk-pci" if drive.bus == "virtio" else _sata(drive, next(ports))
        yield from ("-device", f"{model},drive={node},id={drive.name},bootindex={index}")


def _blockdev(drive: Drive, node: str) -> str:
    file = f"file.driver=file,file.filename={comma(str(drive.file))}"
    flags = f"read-only={'on' if drive.read_only else 'off'},discard=unmap"
    return f"driver={drive.format},node-name={node},{file},{flags}"


def _sata(drive: Drive, port: int) -> str:
    if port >= _SATA_PORTS:
        raise BadMachine(f"{drive.name}: there are {_SATA_PORTS} SATA ports, CD-ROMs use them too: set bus: virtio")
    if drive.read_only and not drive.cdrom:
        raise BadMachine(f"disk {drive.name}: a SATA disk cannot be read-only: set bus: virtio")
    return f"ide-{'cd' if drive.cdrom else 'hd'},bus=ide.{port}"
