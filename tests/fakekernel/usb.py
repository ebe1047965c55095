"""The kernel's USB bus: devices come and go in their ports, each time under another number.

The answers are those of drivers/usb/core/sysfs.c and hub.c (choose_devnum); no machine of the contract suite has such a
bus, so nothing but their source holds them.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakekernel.host import FakeHost
from tests.fakekernel.tree import Folder, Link

DEVICES = "sys/bus/usb/devices"
CONTROLLER = "sys/devices/pci0000:00/0000:00:14.0"
_NUMBERS = 128


@dataclass
class Plug:
    """What is plugged in; `kind` is bDeviceClass, "00" where each interface says its own."""

    id: str
    kind: str = "00"
    serial: str | None = None
    product: str | None = None
    interface: str = "ff"


class Usb:
    """Two root hubs, buses 1 and 2."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self._last: dict[int, int] = {}
        host.tree.put(DEVICES, Folder())
        root = Plug("1d6b:0002", "09", product="xHCI Host Controller")
        for bus in (1, 2):
            self._put(f"usb{bus}", f"{CONTROLLER}/usb{bus}", bus, root)

    def plug(self, port: str, what: Plug) -> int:
        """It comes into the port ("1-2.3" is behind a hub in 1-2); its number on the bus."""
        bus = int(port.partition("-")[0])
        above = port.rpartition(".")[0]
        parent = self._host.tree.real(f"{DEVICES}/{above or f'usb{bus}'}")
        place = f"{parent}/{port}"
        number = self._put(port, place, bus, what)
        self._host.tree.text(f"{place}/{port}:1.0/bInterfaceClass", what.interface)
        self._host.tree.put(f"{DEVICES}/{port}:1.0", Link(f"{place}/{port}:1.0"))
        return number

    def unplug(self, port: str) -> None:
        """It is pulled out, and all behind it."""
        self._host.tree.drop(self._host.tree.real(f"{DEVICES}/{port}"))
        for name in self._host.tree.names(DEVICES):
            if name.partition(":")[0] == port or name.startswith(f"{port}."):
                self._host.tree.drop(f"{DEVICES}/{name}")

    def _put(self, name: str, place: str, bus: int, what: Plug) -> int:
        number = self._last[bus] = self._last.get(bus, 0) % (_NUMBERS - 1) + 1
        vendor, product = what.id.split(":")
        texts = {
            "idVendor": vendor,
            "idProduct": product,
            "bDeviceClass": what.kind,
            "busnum": str(bus),
            "devnum": str(number),
            "serial": what.serial,
            "product": what.product,
        }
        for file, text in texts.items():
            if text is not None:
                self._host.tree.text(f"{place}/{file}", text)
        self._host.tree.put(f"{DEVICES}/{name}", Link(place))
        return number
