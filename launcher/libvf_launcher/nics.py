"""Virtual functions of network cards by VFIO: each on a root port of its own, in the order of the spec.

Its card gives the function its address, which the host agent has set before; QEMU has no word in it.
"""

from collections.abc import Iterator

from libvf_launcher.devices import Devices

_CHASSIS = 64  # root ports of one number exclude each other, and GPUs count theirs from 1


def arguments(devices: Devices) -> Iterator[str]:
    """One root port and one vfio-pci each."""
    for number, nic in enumerate(devices.nics, 1):
        port = f"nicport{number}"
        yield from ("-device", f"pcie-root-port,id={port},chassis={_CHASSIS + number},slot={_CHASSIS + number}")
        yield from ("-device", f"vfio-pci,host={nic.pci},id={nic.name},bus={port}")
