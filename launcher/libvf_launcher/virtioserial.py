"""The virtio serial bus: ports between programs in the guest and sockets of ours, found by their names."""

from collections.abc import Iterator

BUS = "vserial0"


def arguments() -> Iterator[str]:
    """The bus."""
    yield from ("-device", f"virtio-serial-pci,id={BUS}")


def port(chardev: str, name: str) -> Iterator[str]:
    """A port on it, for a character device that is there."""
    yield from ("-device", f"virtserialport,bus={BUS}.0,chardev={chardev},name={name}")
