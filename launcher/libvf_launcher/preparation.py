"""All that comes before a VM's QEMU: its document is read, its devices are found, what it needs is decided and made.

This knows all types of the API and what makes disks. The launcher has it done in a process of its own, and keeps none
of it for as long as the VM runs.
"""

import msgspec
from libvf_api import launch as document
from libvf_api.launch import Launch
from libvf_api.v1alpha1 import Cpu

from libvf_launcher import cells, devices, dhcp, disks, firmware, iso, making, sharing, tpm
from libvf_launcher.command_line import command_line
from libvf_launcher.companion import Companion
from libvf_launcher.devices import Devices
from libvf_launcher.errors import BadMachine
from libvf_launcher.paths import Paths
from libvf_launcher.prepared import Prepared

_DEFAULT_GRACE = 180
_RESERVE = 5  # seconds of the grace period that are kept for ending QEMU ourselves


def prepare(paths: Paths) -> Prepared:
    """All of it; raises LaunchError."""
    launch = load(paths)
    found = devices.read(launch, paths)
    argv = command_line(launch, found, paths)
    for drive in disks.drives(launch.spec, paths):
        making.make(drive)
    firmware.make(firmware.uefi(launch, paths))
    tpm.make(launch, paths)
    iso.make(launch, paths)
    vcpus = cells.count(launch.spec.cpu or Cpu())
    return Prepared(argv, beside(launch, found, paths), grace(launch), vcpus, found.cell)


def load(paths: Paths) -> Launch:
    """The launch document; raises BadMachine with the field that is wrong."""
    try:
        return document.decode(paths.machine.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise BadMachine(f"{paths.machine}: {error}") from error


def beside(launch: Launch, found: Devices, paths: Paths) -> list[Companion]:
    """The programs that this VM needs beside QEMU. Pure."""
    address = [dhcp.companion(found.tap, paths)] if found.tap else []
    return [*tpm.beside(launch, paths), *sharing.beside(launch, paths), *address]


def grace(launch: Launch) -> float:
    """Seconds the guest may take to shut down: what kubelet gives, less what ending QEMU takes."""
    given = launch.spec.termination_grace_period_seconds or _DEFAULT_GRACE
    return max(given - _RESERVE, given / 2)
