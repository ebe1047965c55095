"""PCI functions: the cards, what shares their slot and their IOMMU groups, and the bridges that place them."""

from __future__ import annotations

import posixpath

from libvf_api.pci import PciAddress

from libvf_agent.backends.mediated import BUS
from libvf_agent.backends.xe import VFIO as XE_VFIO
from libvf_agent.capture import cutting
from libvf_agent.capture.allowed import BRIDGE, DRIVER, FUNCTION, GROUP, PCI_BUS, VIRTUAL_FUNCTION
from libvf_agent.capture.taker import Taker
from libvf_agent.errors import CaptureError
from libvf_agent.pci import DEVICES, DRIVERS, VFIO, is_address

GROUPS = "sys/kernel/iommu_groups"
# PCI base classes of display controllers and of processing accelerators (PCI Code and ID Assignment, 1.3 and 1.18)
_CLASSES = ("0x03", "0x12")

Places = dict[str, str]
"""PCI functions by address, and their real folders."""


def take(taker: Taker, card: str | None) -> Places:
    """All cards of the host, or the one at `card`, with their company; returns what was taken."""
    known = _known(taker)
    cards = _physical(taker, _named(known, card) if card else _cards(taker, known))
    slots = {_slot(name) for name in cards}
    company = cards | _virtual(taker, cards) | {n: place for n, place in known.items() if _slot(n) in slots}
    company |= _of_groups(taker, company)
    for folder in company.values():
        _function(taker, folder)
    bridges = {path: None for folder in company.values() for path in _bridges(folder)}
    for bridge in bridges:
        taker.take(bridge, BRIDGE)
    for name in sorted({*company, *map(posixpath.basename, bridges)} & _listed(taker)):
        taker.link(f"{DEVICES}/{name}")
    taker.take(posixpath.dirname(DEVICES), PCI_BUS)
    for driver in (VFIO, XE_VFIO):
        taker.take(f"{DRIVERS}/{driver}", DRIVER)
    for group in taker.names(GROUPS):  # how many there are
        taker.names(f"{GROUPS}/{group}")
    return company


def _known(taker: Taker) -> Places:
    """All functions; a parent of mediated devices is one even where the bus does not list it."""
    places = {name: taker.real(f"{DEVICES}/{name}") for name in sorted(_listed(taker))}
    parents = (taker.real(f"{BUS}/{name}") for name in taker.names(BUS))
    places |= {posixpath.basename(place): place for place in parents if place}
    return {name: place for name, place in places.items() if place and is_address(name)}


def _listed(taker: Taker) -> set[str]:
    return {name for name in taker.names(DEVICES) if is_address(name)}


def _cards(taker: Taker, known: Places) -> Places:
    parents = set(taker.names(BUS))
    return {
        name: place
        for name, place in known.items()
        if name in parents or taker.peek(f"{place}/class").startswith(_CLASSES)
    }


def _named(known: Places, card: str) -> Places:
    address = str(PciAddress.parse(card))
    if address not in known:
        raise CaptureError(f"there is no PCI function {address} on this host: lspci -D lists them")
    return {address: known[address]}


def _physical(taker: Taker, cards: Places) -> Places:
    """With the cards that the virtual functions among them are of, which a bus may not list."""
    physical = (taker.real(f"{place}/physfn") for place in cards.values())
    return cards | {posixpath.basename(place): place for place in physical if place}


def _virtual(taker: Taker, cards: Places) -> Places:
    folders = (
        taker.real(f"{place}/{name}")
        for place in cards.values()
        for name in taker.names(place)
        if VIRTUAL_FUNCTION.fullmatch(name)
    )
    return {posixpath.basename(place): place for place in folders if place}


def _slot(name: str) -> str:
    return name.rpartition(".")[0]


def _of_groups(taker: Taker, functions: Places) -> Places:
    """The functions that share an IOMMU group with these; the groups are taken."""
    found: Places = {}
    for group in {taker.real(f"{place}/iommu_group"): None for place in functions.values()}:
        if group is None:
            continue
        taker.take(group, GROUP)
        for name in taker.names(f"{group}/devices"):
            place = taker.link(f"{group}/devices/{name}")
            if place and is_address(name):
                found[name] = place
    return found


def _function(taker: Taker, folder: str) -> None:
    names = taker.take(folder, FUNCTION)
    for name in filter(VIRTUAL_FUNCTION.fullmatch, names):
        taker.link(f"{folder}/{name}")
    driver = taker.real(f"{folder}/driver")
    if driver:
        taker.take(driver, DRIVER)
    cutting.take(taker, folder, names)
    if driver and driver.endswith("/nvidia") and "sriov_totalvfs" in names:  # a card that the agent asks of
        cutting.tool(taker, posixpath.basename(folder))


def _bridges(folder: str) -> list[str]:
    """`pci0000:64/0000:64:00.0/0000:65:00.0` hangs below the root port 0000:64:00.0."""
    parts = folder.split("/")
    return ["/".join(parts[: count + 1]) for count, part in enumerate(parts[:-1]) if is_address(part)]
