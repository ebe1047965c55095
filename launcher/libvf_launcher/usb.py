"""USB devices of the host that the guest gets."""

from collections.abc import Iterator

from libvf_launcher.devices import Devices

_PORTS = 8  # as many as the spec takes, of each speed


def arguments(devices: Devices) -> Iterator[str]:
    """A controller of their own, and each by its node: nothing else of the host's buses is looked for."""
    if not devices.usb:
        return
    yield from ("-device", f"qemu-xhci,id=hostusb,p2={_PORTS},p3={_PORTS}")
    for name, node in devices.usb:
        yield from ("-device", f"usb-host,id={name},bus=hostusb.0,hostdevice={node}")
