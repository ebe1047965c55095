"""The guest's vsock to its host."""

from collections.abc import Iterator

from libvf_launcher.devices import Devices


def arguments(devices: Devices) -> Iterator[str]:
    """A vsock under the number that the agent has allotted; the kernel carries its data, no socket of ours does."""
    if devices.vsock is not None:
        yield from ("-device", f"vhost-vsock-pci,id=vsock,guest-cid={devices.vsock}")
