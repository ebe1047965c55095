"""The QEMU command line: a pure function of the launch document and the devices."""

from libvf_api.launch import Launch

from libvf_launcher import (
    channels,
    drives,
    firmware,
    gpus,
    guestagent,
    lookingglass,
    machine,
    media,
    memory,
    network,
    nics,
    screen,
    sharing,
    sound,
    spice,
    tpm,
    usb,
    virtioserial,
    vsock,
)
from libvf_launcher.devices import Devices
from libvf_launcher.disks import drives as listed
from libvf_launcher.paths import Paths

BINARY = "qemu-system-x86_64"
# QEMU needs none of it once it runs, and a guest that breaks out of it should not have it either
_SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"


def command_line(launch: Launch, devices: Devices, paths: Paths) -> list[str]:
    """All of QEMU's arguments; raises DeviceMissing and BadMachine, as the parts do.

    extraArguments stand last, and so override.
    """
    return [
        BINARY,
        *("-name", f"guest={launch.name},debug-threads=on", "-uuid", launch.uid),
        *("-nodefaults", "-no-user-config", "-sandbox", _SANDBOX),
        *machine.arguments(launch, devices),
        *memory.arguments(launch),
        *firmware.arguments(firmware.uefi(launch, paths)),
        *tpm.arguments(launch, paths),
        *channels.arguments(paths),
        *virtioserial.arguments(),
        *guestagent.arguments(paths),
        *screen.arguments(launch, devices, paths),
        *spice.arguments(launch, paths),
        *lookingglass.arguments(launch, paths),
        *sound.arguments(launch, paths),
        *gpus.arguments(launch, devices),
        *drives.arguments(listed(launch.spec, paths)),
        *sharing.arguments(launch, paths),
        *network.arguments(launch, devices),
        *nics.arguments(devices),
        *vsock.arguments(devices),
        *usb.arguments(devices),
        *media.arguments(launch, paths),
        *("-device", "virtio-rng-pci"),
        *(word for argument in launch.spec.extra_arguments or () for word in argument.split(" ", 1)),
    ]
