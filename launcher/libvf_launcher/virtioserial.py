"""The bus of the guest's virtio ports, for programs in the guest that speak with those outside."""

from collections.abc import Iterator


def arguments() -> Iterator[str]:
    """The bus `vserial0.0`, once."""
    yield from ("-device", "virtio-serial-pci,id=vserial0")
