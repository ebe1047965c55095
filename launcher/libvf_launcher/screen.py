"""The guest's screen, and who may look at it."""

from collections.abc import Iterator

from libvf_api.launch import Launch

from libvf_launcher import graphics
from libvf_launcher.devices import Devices
from libvf_launcher.paths import Paths

# what a guest may keep of pictures in QEMU's own memory; the Pod's memory has room for it
_VIRTIO_MEMORY = 64 << 20


def arguments(launch: Launch, devices: Devices, paths: Paths) -> Iterator[str]:
    """The emulated card where the GPU shows nothing, the screen by VNC on a socket, and a pointer to go with it.

    VNC shows QEMU's first console, and that is the card's; GPUs have consoles only in the mode Accelerated, in the
    order of the spec.
    """
    card = graphics.emulated(launch, devices)
    yield from ("-display", "none", "-vga", "std" if card == "std" else "none")
    if card == "virtio":
        yield from ("-device", f"virtio-vga,id=screen,max_hostmem={_VIRTIO_MEMORY}")
    elif devices.virtual and graphics.mode(launch) == "Safe":
        yield from ("-device", f"virtio-gpu-pci,id=screen,max_hostmem={_VIRTIO_MEMORY}")
    ways = graphics.ways(launch)
    if "vnc" in ways:
        yield from ("-vnc", f"unix:{paths.vnc}")
    if "vnc" in ways or ("spice" in ways and "lookingGlass" not in ways):  # Looking Glass moves a mouse, by SPICE
        yield from ("-device", "qemu-xhci,id=screenusb", "-device", "usb-tablet,bus=screenusb.0")
