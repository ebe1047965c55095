"""Parents of mediated devices, PCI functions or not, their types, and the devices that exist."""

from __future__ import annotations

import posixpath

from libvf_agent.backends.mediated import BUS, DEVICES
from libvf_agent.capture import cutting
from libvf_agent.capture.allowed import GROUP, MEDIATED, TYPE
from libvf_agent.capture.functions import Places
from libvf_agent.capture.taker import Taker


def take(taker: Taker, functions: Places, alone: bool) -> None:
    """All parents, or where a card is captured `alone` only those among the functions."""
    parents = {f"{BUS}/{name}": taker.real(f"{BUS}/{name}") for name in taker.names(BUS)}
    taken = {link: home for link, home in parents.items() if home and (not alone or home in functions.values())}
    for link, home in taken.items():
        taker.link(link)
        _types(taker, f"{home}/mdev_supported_types")
    for name in taker.names(DEVICES):
        device = taker.real(f"{DEVICES}/{name}")
        if device and posixpath.dirname(device) in taken.values():
            taker.link(f"{DEVICES}/{name}")
            _device(taker, device)


def _types(taker: Taker, folder: str) -> None:
    for name in taker.names(folder):
        taker.take(f"{folder}/{name}", TYPE)
        for device in taker.names(f"{folder}/{name}/devices"):
            taker.link(f"{folder}/{name}/devices/{device}")


def _device(taker: Taker, folder: str) -> None:
    names = taker.take(folder, MEDIATED)
    cutting.take(taker, folder, names)
    group = taker.real(f"{folder}/iommu_group")
    if group:
        taker.take(group, GROUP)
        for name in taker.names(f"{group}/devices"):
            taker.link(f"{group}/devices/{name}")
