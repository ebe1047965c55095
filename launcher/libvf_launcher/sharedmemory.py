"""Memory that the guest shares with a program outside: a PCI device (ivshmem) over a file."""

from collections.abc import Iterator
from pathlib import Path

from libvf_launcher.options import comma


def arguments(name: str, file: Path, size: int) -> Iterator[str]:
    """The file as the device's BAR 2; QEMU makes it, of `size` bytes, a power of two.

    Pages that the guest never writes take no memory.
    """
    backend = f"memory-backend-file,id={name},share=on,mem-path={comma(str(file))},size={size}"
    yield from ("-object", backend, "-device", f"ivshmem-plain,id=ivshmem-{name},memdev={name}")
