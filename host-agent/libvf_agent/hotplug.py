"""Cards that come and go: the kernel's own uevents, and a slow look all the same.

The `kernel` source is used because udev's events do not reach a Pod; it needs the host's network namespace.
Where no netlink socket can be had, the slow look alone goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pyudev

log = logging.getLogger("libvf.hotplug")


def concerns_us(subsystem: str | None, properties: dict[str, str]) -> bool:
    """Whether an event may change what this host offers: parents, their devices, PCI functions, USB devices, kvm."""
    if "MDEV_STATE" in properties:
        return True
    return subsystem in ("mdev", "pci", "mdev_bus", "usb") or properties.get("DEVNAME", "").endswith("kvm")


def watch(changed: Callable[[], None]) -> Callable[[], None]:
    """Calls `changed` on the running loop for each event that concerns us; returns what ends it."""
    loop = asyncio.get_running_loop()
    try:
        monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="kernel")
        monitor.start()
    except (OSError, ImportError) as error:
        log.warning("no kernel events; cards are looked for now and then", extra={"error": str(error)})
        return lambda: None
    loop.add_reader(monitor.fileno(), lambda: _drain(monitor, changed))
    return lambda: _end(loop, monitor)


def _end(loop: asyncio.AbstractEventLoop, monitor: pyudev.Monitor) -> None:
    loop.remove_reader(monitor.fileno())


def _drain(monitor: pyudev.Monitor, changed: Callable[[], None]) -> None:
    while (device := monitor.poll(timeout=0)) is not None:
        if concerns_us(device.subsystem, dict(device.properties)):
            changed()
