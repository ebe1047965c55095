"""GPUs by VFIO: each on a root port of its own."""

from collections.abc import Iterator
from itertools import count

from libvf_api.launch import Launch
from libvf_api.v1alpha1 import DeviceIdentity

from libvf_launcher import graphics
from libvf_launcher.devices import Devices, VfioDevice
from libvf_launcher.errors import BadMachine

_FUNCTIONS = 8  # of a PCI slot
_USUAL_ROOM = 1 << 30  # what firmware finds for a port by itself


def arguments(launch: Launch, devices: Devices) -> Iterator[str]:
    """One root port and one vfio-pci each; raises BadMachine for a card of more functions than a slot holds.

    The first that is shown has a ramfb too: until the guest's driver draws, its console shows what firmware and
    bootloader draw there. There can be one ramfb, and a device with it cannot be unplugged.
    """
    if graphics.mode(launch) == "Disabled":
        return
    readable, first, numbers = graphics.mode(launch) == "Accelerated", graphics.shown(launch, devices), count()
    identity = launch.spec.device_identity or DeviceIdentity()
    for port, device in zip(count(1), devices.vfio, strict=False):
        yield from ("-device", f"pcie-root-port,id=gpuport{port},chassis={port},slot={port}{_room(device)}")
        seats = _seats(device)
        for seat, place in seats.items():
            where = f"id=hostdev{next(numbers)},bus=gpuport{port}"
            several = f",addr={seat},multifunction=on" if len(seats) > 1 else ""
            model = "vfio-pci-nohotplug" if device is first else "vfio-pci"
            display = f"display={'on' if device.display and readable else 'off'}"
            early = ",ramfb=on" if device is first else ""
            ids = _overrides(identity) if seat == "0x0" else ""
            yield from ("-device", f"{model},{place},{where}{several},{display}{early}{ids}")


def _room(device: VfioDevice) -> str:
    """Firmware gives a port as much room above 4 GiB as it asks for: a power of two that holds all BARs."""
    reserve = 1 << (device.bar_bytes - 1).bit_length() if device.bar_bytes else 0
    return f",pref64-reserve={reserve}" if reserve > _USUAL_ROOM else ""


def _seats(device: VfioDevice) -> dict[str, str]:
    """Where each function sits on its port: a card's functions keep together, its own first, as drivers expect."""
    if device.mdev:
        return {"0x0": f"sysfsdev=/sys/bus/mdev/devices/{device.mdev}"}
    places = [f"host={address}" for address in (device.pci, *device.beside)]
    if len(places) > _FUNCTIONS:
        raise BadMachine(f"{device.pci} comes with {len(places)} functions: a slot holds {_FUNCTIONS}")
    return {"0x0" if number == 0 else f"0x0.0x{number:x}": place for number, place in enumerate(places)}


def _overrides(identity: DeviceIdentity) -> str:
    ids = {
        "x-pci-vendor-id": identity.vendor_id,
        "x-pci-device-id": identity.device_id,
        "x-pci-sub-vendor-id": identity.sub_vendor_id,
        "x-pci-sub-device-id": identity.sub_device_id,
    }
    return "".join(f",{key}={value}" for key, value in ids.items() if value)
