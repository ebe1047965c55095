"""A network card's link, and what its driver says to rtnetlink about virtual functions.

As igb does (drivers/net/ethernet/intel/igb/igb_main.c: igb_ndo_set_vf_mac, igb_ndo_get_vf_config); the contract suite
holds it to the real one. Others differ: `strict` as be2net (be_main.c), which takes no zero; `deaf` has no such call.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field

from libvf_api.mac import ZERO

from tests.fakekernel.host import FakeHost
from tests.fakekernel.tree import File, fail


@dataclass
class Ethernet:
    """The link `name`; `addresses` are those of its functions, `busy` is how often a new one is not ready yet."""

    name: str
    port: str = ""
    strict: bool = False
    deaf: bool = False
    busy: int = 0
    up: bool = True
    addresses: list[str] = field(default_factory=list)

    def appear(self, host: FakeHost, home: str) -> None:
        """Its driver takes the card."""
        self.cut(0)
        host.tree.text(f"{home}/net/{self.name}/type", "1")
        host.tree.put(f"{home}/net/{self.name}/flags", File(lambda: "0x1003\n" if self.up else "0x1002\n"))
        if self.port:
            host.tree.text(f"{home}/net/{self.name}/phys_port_name", self.port)
        host.networks[self.name] = self

    def vanish(self, host: FakeHost, home: str) -> None:
        """Its driver leaves it."""
        host.tree.drop(f"{home}/net")
        host.networks.pop(self.name, None)

    def cut(self, count: int) -> None:
        """New functions have no address until somebody gives them one."""
        self.addresses = [ZERO] * count

    def macs(self) -> list[str]:
        """Of each function."""
        return [] if self.deaf else list(self.addresses)

    def set_mac(self, number: int, mac: str) -> None:
        """For one function."""
        if self.deaf:
            raise fail(errno.EOPNOTSUPP, self.name)
        if self.busy:
            self.busy -= 1
            raise fail(errno.EAGAIN, self.name)
        if number >= len(self.addresses) or int(mac[:2], 16) & 1 or (self.strict and mac == ZERO):
            raise fail(errno.EINVAL, self.name)
        self.addresses[number] = mac
