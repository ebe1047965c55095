"""The guest's network card."""

from collections.abc import Iterator

from libvf_api.launch import Launch


def arguments(launch: Launch) -> Iterator[str]:
    """A card on the Pod's network, unless there shall be none."""
    mode = launch.spec.network.mode if launch.spec.network else None
    if (mode or "User") == "User":
        yield from ("-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile=")
