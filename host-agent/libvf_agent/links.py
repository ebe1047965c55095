"""Network links of PCI functions, by their names in the host's network.

Sources: Linux, Documentation/ABI/testing/sysfs-class-net; include/uapi/linux/if_arp.h; for names of ports
Documentation/networking/switchdev.rst and net/core/devlink.c.
"""

from __future__ import annotations

import re

from libvf_agent.pci import DEVICES
from libvf_agent.steps import Facts
from libvf_agent.sysfs import Sysfs

_ETHERNET = "1"  # ARPHRD_ETHER
_UP = frozenset("13579bdf")  # last digits with IFF_UP, the lowest bit
_STANDS_FOR_A_FUNCTION = re.compile(r"(c[0-9]+)?pf[0-9]+(vf|sf)[0-9]+")


def of(sysfs: Sysfs, address: str) -> str | None:
    """The Ethernet link of a physical function itself; None where it has none in this network namespace.

    A card that switches between its functions has links beside its own, one for each of them.
    """
    folder = f"{DEVICES}/{address}/net"
    for name in sysfs.names(folder):
        port = sysfs.read_or(f"{folder}/{name}/phys_port_name", "")
        if sysfs.read_or(f"{folder}/{name}/type", "") == _ETHERNET and not _STANDS_FOR_A_FUNCTION.fullmatch(port):
            return name
    return None


def told(sysfs: Sysfs, address: str) -> Facts:
    """The card's link, and whether it is up: a guest's function mostly has no link of its own without it."""
    link = of(sysfs, address)
    if link is None:
        return {}
    flags = sysfs.read_or(f"{DEVICES}/{address}/net/{link}/flags", "0x0")
    return {"link": link, "linkUp": flags[-1:] in _UP}
