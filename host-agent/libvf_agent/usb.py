"""USB devices of the host, each for one claim: those alone whose vendor and product id the agent's setting names.

Where nothing is named nothing is offered, as what a guest gets is taken from the host: its keyboard, its disk. Hubs are
never offered. A device is called by its id and the port it is in, so that one that is plugged in again there is the
same, and what comes into the port instead is not; its number on the bus, and with it its node, is another after each
plugging in (Linux: ABI/stable/sysfs-bus-usb, driver-api/usb/usb.rst).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from libvf_api.taints import TaintKey

from libvf_agent.errors import ClaimError, SysfsError
from libvf_agent.journal import Entry, Slice
from libvf_agent.metadata import attribute
from libvf_agent.slices import Json, Node, pool_name, pooled
from libvf_agent.steps import Facts
from libvf_agent.sysfs import Sysfs

KIND = "usb"
NODE = "usbNode"
SETTING = "LIBVF_USB"
DEVICES = "sys/bus/usb/devices"

_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_PORT = re.compile(r"[0-9]+-[0-9]+(\.[0-9]+)*")  # interfaces have a colon, root hubs are usb1, usb2
_HUB = "09"
_LONGEST = 64  # bytes of an attribute's value


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A device in its port ("1-2.3": bus 1, port 2, port 3 of the hub there); `id` as lsusb prints it, "046d:c52b"."""

    port: str
    id: str
    bus: int
    number: int
    serial: str = ""
    product: str = ""

    @property
    def name(self) -> str:
        """How it is published: a DNS label."""
        return f"{self.id}-{self.port}".replace(":", "-").replace(".", "-")

    @property
    def node(self) -> str:
        """Where usbfs has it."""
        return f"/dev/bus/usb/{self.bus:03}/{self.number:03}"


def named(setting: str) -> frozenset[str]:
    """The ids in the setting, with blanks or commas between them; ValueError where a word is none."""
    words = setting.replace(",", " ").split()
    for word in words:
        if not _ID.fullmatch(word):
            raise ValueError(f"{SETTING}: {word!r} is no USB id: write it in lower case as lsusb does, as 046d:c52b")
    return frozenset(words)


def read(sysfs: Sysfs, ids: frozenset[str]) -> dict[str, UsbDevice]:
    """The devices with these ids by name; one that is pulled out meanwhile is not there."""
    ports = (name for name in sysfs.names(DEVICES) if _PORT.fullmatch(name))
    devices = (_device(sysfs, port) for port in ports)
    return {device.name: device for device in devices if device and device.id in ids}


def _device(sysfs: Sysfs, port: str) -> UsbDevice | None:
    place = f"{DEVICES}/{port}"
    try:
        if sysfs.read(f"{place}/bDeviceClass") == _HUB:
            return None
        vendor, product = sysfs.read(f"{place}/idVendor"), sysfs.read(f"{place}/idProduct")
        bus, number = int(sysfs.read(f"{place}/busnum")), int(sysfs.read(f"{place}/devnum"))
    except (SysfsError, ValueError):
        return None
    texts = (_short(sysfs.read_or(f"{place}/{name}", "")) for name in ("serial", "product"))
    return UsbDevice(port, f"{vendor}:{product}", bus, number, *texts)


def _short(text: str) -> str:
    return text.encode()[:_LONGEST].decode(errors="ignore")


def facts(found: Mapping[str, UsbDevice], piece: Slice) -> Facts:
    """What is told of an allocated one; ClaimError where it is not there."""
    device = found.get(piece.device)
    if device is None:
        cure = f"plug it in where it was, or name its id in {SETTING} of the agent; or delete the claim's Pod"
        raise ClaimError(f"the USB device {piece.device} is not offered by this host any more: {cure}")
    return {"device": device.id, "port": device.port, NODE: device.node}


def pool(node: Node, found: Mapping[str, UsbDevice], entries: Iterable[Entry]) -> list[Json]:
    """All of them, and those that are gone and still allocated: tainted, so that nobody else waits for one.

    NoSchedule alone: a guest goes on without what was pulled out.
    """
    name = pool_name(node.name, KIND)
    held = {piece.device for entry in entries for piece in entry.slices if piece.pool == name}
    taint = {"key": TaintKey.LOST.qualified, "effect": "NoSchedule"}
    lost = {"attributes": {"kind": attribute("lost")}, "taints": [taint]}
    gone = [{"name": one, **lost} for one in sorted(held - found.keys())]
    devices = [*(_published(found[one]) for one in sorted(found)), *gone]
    return pooled(node.name, name, [{"devices": devices}]) if devices else []


def _published(device: UsbDevice) -> Json:
    values = {
        "kind": KIND,
        "device": device.id,
        "port": device.port,
        "serial": device.serial,
        "product": device.product,
    }
    return {"name": device.name, "attributes": {key: attribute(value) for key, value in values.items() if value}}


def pulled_out(found: Mapping[str, UsbDevice], entries: Iterable[Entry]) -> dict[str, str]:
    """Devices of claims that their containers have no more, by name, and what became of each."""
    pieces = (piece for entry in entries for piece in entry.slices if NODE in piece.facts)
    told: dict[str, str] = {}
    for piece in pieces:
        device = found.get(piece.device)
        if device is None:
            told[piece.device] = "was pulled out: plug it in where it was, then restart its machine"
        elif device.node != piece.facts[NODE]:
            told[piece.device] = f"was plugged in anew and is {device.node} by now: restart its machine"
    return told
