"""Reading what a mediated device type says of itself, for each driver that is known.

Pure text in, values out. The sources are the drivers' own `name` and `description` files (sysfs-abi.md);
either may be missing. A driver that is not listed here is not offered: its limits are not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from libvf_agent.inventory import MIB, SliceType


@dataclass(frozen=True, slots=True)
class Raw:
    """The files of one type folder, as text; missing files are empty."""

    id: str
    name: str = ""
    description: str = ""
    available: int = 0


VENDORS = {
    "nvidia": "nvidia",
    "i915": "intel",
    "mdpy": "kernel-sample",
    "mbochs": "kernel-sample",
    "mtty": "kernel-sample",
}
HOMOGENEOUS = frozenset({"nvidia"})


def driver(type_id: str) -> str:
    """The driver's part of a type folder's name: "nvidia" of "nvidia-746"."""
    return type_id.partition("-")[0]


def parse(raw: Raw) -> SliceType | None:
    """The type in our own terms, or None where the driver or its description is not understood."""
    reader = _READERS.get(driver(raw.id))
    return reader(raw) if reader else None


def _nvidia(raw: Raw) -> SliceType | None:
    """`num_heads=4, framebuffer=4096M, .., max_instance=4`; the series is in the name only."""
    facts = dict(re.findall(r"(\w+)=(\w+)", raw.description))
    memory = re.fullmatch(r"(\d+)M", facts.get("framebuffer", ""))
    limit = facts.get("max_instance", "")
    if memory is None or not limit.isdecimal() or not int(limit):
        return None
    vram = int(memory[1]) * MIB
    screen = int(facts["num_heads"]) > 0 if facts.get("num_heads", "").isdecimal() else False
    return SliceType(raw.id, raw.name or raw.id, vram, (), int(limit), raw.available, screen)


def _gvtg(raw: Raw) -> SliceType | None:
    """Multi-line `low_gm_size: 128MB`; the screen is dma-buf only, which needs GL: not readable by us.

    The high graphics memory counts as video memory, as the guest works in it; the low one is a window for the CPU.
    """
    facts = dict(re.findall(r"^(\w+): (\d+)", raw.description, re.MULTILINE))
    if not {"low_gm_size", "high_gm_size", "fence"} <= facts.keys():
        return None
    low, high, fence = (int(facts[key]) for key in ("low_gm_size", "high_gm_size", "fence"))
    cost = (("low-gm", low * MIB), ("high-gm", high * MIB), ("fence", fence))
    return SliceType(raw.id, raw.name or raw.id, high * MIB, cost, None, raw.available)


def _mdpy(raw: Raw) -> SliceType | None:
    """`virtual display, 1024x768 framebuffer`: 4 bytes a pixel, rounded up to a power of two."""
    size = re.search(r"(\d{1,6})x(\d{1,6})", raw.description)
    pixels = int(size[1]) * int(size[2]) * 4 if size else 0
    vram = 1 << (pixels - 1).bit_length() if pixels else 0
    return SliceType(raw.id, raw.name or raw.id, vram, (("instances", 1),), None, raw.available, True)


def _mbochs(raw: Raw) -> SliceType | None:
    """`virtual display, 64 MB video memory`, from one pool; the screen is dma-buf only."""
    size = re.search(r"(\d{1,9}) MB", raw.description)
    if size is None or not int(size[1]):
        return None
    vram = int(size[1]) * MIB
    return SliceType(raw.id, raw.name or raw.id, vram, (("memory", vram),), None, raw.available)


def _mtty(raw: Raw) -> SliceType | None:
    """`mtty-1` and `mtty-2` take as many ports as their number; there is no description."""
    ports = raw.id.partition("-")[2]
    if not re.fullmatch(r"[1-9][0-9]{0,3}", ports):
        return None
    return SliceType(raw.id, raw.name or raw.id, 0, (("ports", int(ports)),), None, raw.available)


_READERS = {"nvidia": _nvidia, "i915": _gvtg, "mdpy": _mdpy, "mbochs": _mbochs, "mtty": _mtty}
