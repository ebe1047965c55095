"""Whose screen the guest has, and how it is seen. Pure."""

from typing import Literal

from libvf_api import screens
from libvf_api.launch import Launch
from msgspec import UnsetType

from libvf_launcher.devices import Devices, VfioDevice

Emulated = Literal["std", "virtio"]


def mode(launch: Launch) -> str:
    """spec.graphics.mode, or its default."""
    chosen = launch.spec.graphics.mode if launch.spec.graphics else None
    return chosen or "Accelerated"


def ways(launch: Launch) -> tuple[str, ...]:
    """How the screen can be seen: vnc, spice, lookingGlass."""
    listed = launch.spec.display
    return screens.ways(mode(launch), None if isinstance(listed, UnsetType) else listed)


def emulated(launch: Launch, devices: Devices) -> Emulated | None:
    """The emulated card that is the guest's first screen, where a GPU is not: a screen is never just black.

    A GPU whose screen QEMU cannot read (a whole card, a function, a slice that only draws to a dma-buf) has one beside
    it, unless Looking Glass is to show the GPU's own: then a second screen is where windows get lost.
    """
    chosen = mode(launch)
    if chosen in ("Safe", "Disabled"):
        return "std"
    if chosen == "Headless" or shown(launch, devices):
        return None
    if devices.virtual:
        return "virtio"
    glass_alone = "lookingGlass" in ways(launch) and "vnc" not in ways(launch)
    return None if glass_alone else "std"


def shown(launch: Launch, devices: Devices) -> VfioDevice | None:
    """The GPU that is the guest's first screen: the first that QEMU can read."""
    if mode(launch) != "Accelerated":
        return None
    return next((device for device in devices.vfio if device.display), None)


def no_picture(launch: Launch, devices: Devices) -> str:
    """Why no screenshot can be taken, and the cure; empty where one can."""
    if emulated(launch, devices) or shown(launch, devices):
        return ""
    if mode(launch) == "Headless":
        return (
            "spec.graphics.mode is Headless, so the machine has no screen that QEMU can read: set it to Safe for an "
            "emulated one beside the GPU, and restart the machine"
        )
    return (
        "the screen goes out by Looking Glass alone: take its last frame with `libvf-launcher frame FILE`, or add vnc "
        "to spec.display"
    )
