"""SPICE: the screen, and with it the clipboard, USB devices of who looks, and sound."""

from collections.abc import Iterator

from libvf_api.launch import Launch

from libvf_launcher import graphics, virtioserial
from libvf_launcher.paths import Paths

_REDIRECTED = 2  # USB devices at a time: what viewers offer by default


def served(launch: Launch) -> bool:
    """Whether there is a server: for the screen, or for the sound alone."""
    return "spice" in graphics.ways(launch) or launch.spec.audio == "spice"


def arguments(launch: Launch, paths: Paths) -> Iterator[str]:
    """A server on a socket that needs no ticket, as who reaches the socket was asked before.

    `com.redhat.spice.0` is where the guest's vdagent listens: it shares the clipboard and fits the guest's screen to
    the window. Video is sent as pictures: recognizing streams needs encoders that spawn programs, which the sandbox
    forbids.
    """
    if not served(launch):
        return
    yield from ("-spice", f"unix=on,addr={paths.spice},disable-ticketing=on,streaming-video=off")
    yield from ("-chardev", "spicevmc,id=vdagent,name=vdagent")
    yield from virtioserial.port("vdagent", "com.redhat.spice.0")
    yield from ("-device", f"qemu-xhci,id=redirect,p2={_REDIRECTED},p3={_REDIRECTED}")
    for number in range(_REDIRECTED):
        yield from ("-chardev", f"spicevmc,id=redirect{number},name=usbredir")
        yield from ("-device", f"usb-redir,chardev=redirect{number},bus=redirect.0")
