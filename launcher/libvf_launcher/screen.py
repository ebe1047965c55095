"""The guest's screen, and who may look at it."""

from collections.abc import Iterator

from libvf_api.launch import Launch

from libvf_launcher import graphics
from libvf_launcher.devices import Devices
from libvf_launcher.paths import Paths


def arguments(launch: Launch, devices: Devices, paths: Paths) -> Iterator[str]:
    """An emulated card where the GPU shows nothing, and the screen by VNC on a socket."""
    yield from ("-display", "none", "-vga", "std" if _emulated(graphics.mode(launch), devices) else "none")
    if graphics.mode(launch) != "Headless":
        yield from ("-vnc", f"unix:{paths.vnc}")


def _emulated(mode: str, devices: Devices) -> bool:
    """Whether the guest has an emulated card: also where no device has a screen that QEMU can read, or all is black."""
    return mode in ("Safe", "Disabled") or (mode == "Accelerated" and not any(d.display for d in devices.vfio))
