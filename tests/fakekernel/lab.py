"""The cards of a lab node (lab/cards.py) on the fake kernel: what the contract suite compares."""

from __future__ import annotations

from lab.cards import DISPLAY, IGB, NVME, NVME_FUNCTIONS, USB
from tests.fakekernel.network import Ethernet
from tests.fakekernel.pci import Function, PciHost


def lab_bus() -> PciHost:
    """A disk and a network card with virtual functions, a display card with a USB function in its group."""
    disk = Function(NVME, "1b36:0010", "010802", native="nvme", total_vfs=NVME_FUNCTIONS, vf_native="nvme")
    link = Ethernet("eth1")
    network = {"network": link, "total_vfs": 8, "offset": 384, "stride": 2, "vf_id": "8086:10ca", "vf_native": "igbvf"}
    igb = Function(IGB, "8086:10c9", "020000", native="igb", **network)  # type: ignore[arg-type]
    display = Function(DISPLAY, "1234:1111", "038000", native="bochs-drm", reset="bus")
    usb = Function(USB, "1b36:000d", "0c0330", native="xhci_hcd", reset="bus", with_=DISPLAY)
    return PciHost(disk, igb, display, usb)
