"""What agents publish as GPU slices, who has them, and why one does not do for a request: for people. Pure.

The scheduler decides by the same documents; this is what it can be told from, in words.
"""

import fnmatch
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libvf_api import names
from libvf_api.quantity import of_bytes, to_bytes
from libvf_api.taints import WORDS

Object = dict[str, Any]
Place = tuple[str, str]  # pool, device
Counts = Counter[tuple[str, str, str]]  # pool, counter set, counter


@dataclass(frozen=True, slots=True)
class Offer:
    """A published GPU device; `parent` is its card, `vram` in bytes, `takes` what it takes of its card's counters.

    `numa` is None where the card does not tell its NUMA node.
    """

    pool: str
    name: str
    type: str
    vram: int
    vendor: str
    mode: str
    device: str
    taints: tuple[str, ...] = ()
    node: str = ""
    parent: str = ""
    takes: Counts = field(default_factory=Counter, compare=False)
    numa: int | None = None

    @property
    def place(self) -> Place:
        """By what a claim's allocation names it."""
        return self.pool, self.name


def offers(slices: list[Object]) -> list[Offer]:
    """All GPU slices that our driver publishes."""
    return [offer(piece, device) for piece, device in devices(slices) if text(device, "kind") == "gpu"]


def judged_by(device: Object) -> tuple[object, ...]:
    """All of a device that `unfit` looks at, as it is published: equal ones need one look."""
    told = (text(device, key) for key in ("type", "vendor", "mode", "device"))
    size = (device.get("capacity") or {}).get("vram", {}).get("value", "0")
    return (*told, size, *(taint["key"] for taint in device.get("taints") or ()))


def devices(slices: list[Object]) -> list[tuple[Object, Object]]:
    """Our driver's devices, each with the ResourceSlice it is in."""
    return [
        (piece, device)
        for piece in slices
        if piece["spec"]["driver"] == names.DRIVER
        for device in piece["spec"].get("devices") or []
    ]


def holders(allocated: list[Object]) -> dict[Place, str]:
    """Which claim, as namespace/name, has each device."""
    return {
        (result["pool"], result["device"]): "/".join((claim["metadata"]["namespace"], claim["metadata"]["name"]))
        for claim in allocated
        for result in results(claim)
    }


def unfit(spec: Object, offer: Offer) -> str:
    """Why an offer does not meet a partition's spec; empty where it does."""
    vram = spec.get("vram", {})
    if not fnmatch.fnmatchcase(offer.type, spec.get("type", "*")):
        return "is another type"
    for name in ("vendor", "mode", "device"):
        if spec.get(name, getattr(offer, name)) != getattr(offer, name):
            return f"is of {name} {getattr(offer, name) or 'unknown'}"
    if vram and not offer.vram:
        return "has no video memory"
    if offer.vram < to_bytes(vram.get("min", 0)):
        return f"({of_bytes(offer.vram)}) is too small"
    if "max" in vram and offer.vram > to_bytes(vram["max"]):
        return f"({of_bytes(offer.vram)}) is too large"
    return next((WORDS.get(key, f"is tainted {key}: see the agent's log") for key in offer.taints), "")


def left(slices: list[Object], offered: list[Offer], taken: Mapping[Place, str]) -> Counts:
    """What of every card's counters is left beside the slices that are allocated."""
    counts: Counts = Counter()
    for piece in slices:
        for shared in piece["spec"].get("sharedCounters") or []:
            for name, counter in shared["counters"].items():
                counts[piece["spec"]["pool"]["name"], shared["name"], name] = to_bytes(counter["value"])
    for offer in offered:
        if offer.place in taken:
            counts.subtract(offer.takes)
    return counts


def wanted(spec: Object) -> str:
    """A partition's request in words."""
    vram = spec.get("vram", {})
    words = [spec.get("vendor"), spec.get("type"), spec.get("device")]
    words += [f"at least {vram['min']}" if "min" in vram else None, f"at most {vram['max']}" if "max" in vram else None]
    return " ".join(word for word in words if word) or "any slice"


def text(device: Object, key: str) -> str:
    """An attribute that is a string; empty where there is none."""
    return str((device.get("attributes") or {}).get(key, {}).get("string", ""))


def numa_node(device: Object) -> int | None:
    """The NUMA node that a device tells."""
    found = (device.get("attributes") or {}).get(names.NUMA_ATTRIBUTE, {}).get("int")
    return None if found is None else int(found)


def results(claim: Object) -> list[Object]:
    """The allocated devices of a claim."""
    allocation = (claim.get("status") or {}).get("allocation") or {}
    return list((allocation.get("devices") or {}).get("results") or [])


def offer(piece: Object, device: Object) -> Offer:
    """One published device, with the ResourceSlice that it is in."""
    pool, vram = piece["spec"]["pool"]["name"], (device.get("capacity") or {}).get("vram", {}).get("value", "0")
    kind, vendor, mode, pci, parent = (text(device, key) for key in ("type", "vendor", "mode", "device", "parent"))
    takes = {
        (pool, one["counterSet"], name): to_bytes(counter["value"])
        for one in device.get("consumesCounters") or []
        for name, counter in one["counters"].items()
    }
    return Offer(
        pool, device["name"], kind, to_bytes(vram), vendor, mode, pci,
        taints=tuple(str(taint["key"]) for taint in device.get("taints") or []),
        node=piece["spec"].get("nodeName", ""), parent=parent, takes=Counter(takes), numa=numa_node(device),
    )  # fmt: skip
