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

# what no card has is no size of it: \d would also take digits of other scripts, and 0 is nothing
_NUMBER = "[1-9][0-9]{0,7}"
_COUNT = "[1-9][0-9]{0,3}"
# its end becomes the name of a device, which the API server wants to be a DNS label
_ID = "[a-z0-9]{1,20}-[A-Za-z0-9]([A-Za-z0-9_.-]{0,38}[A-Za-z0-9])?"


def driver(type_id: str) -> str:
    """The driver's part of a type folder's name: "nvidia" of "nvidia-746"."""
    return type_id.partition("-")[0]


def parse(raw: Raw) -> SliceType | None:
    """The type in our own terms, or None where the driver or its description is not understood."""
    reader = _READERS.get(driver(raw.id)) if re.fullmatch(_ID, raw.id) else None
    return reader(raw) if reader else None


def _nvidia(raw: Raw) -> SliceType | None:
    """`num_heads=4, framebuffer=4096M, .., max_instance=4`; the series is in the name only."""
    facts = dict(re.findall(r"(\w+)=(\w+)", raw.description))
    memory = re.fullmatch(rf"({_NUMBER})M", facts.get("framebuffer", ""))
    limit = re.fullmatch(_COUNT, facts.get("max_instance", ""))
    if memory is None or limit is None:
        return None
    screen = re.fullmatch(_COUNT, facts.get("num_heads", "")) is not None
    return SliceType(raw.id, raw.name or raw.id, int(memory[1]) * MIB, (), int(limit[0]), raw.available, screen)


def _gvtg(raw: Raw) -> SliceType | None:
    """Multi-line `low_gm_size: 128MB`; the screen is dma-buf only, which needs GL: not readable by us.

    The high graphics memory counts as video memory, as the guest works in it; the low one is a window for the CPU.
    """
    facts = dict(re.findall(rf"^(\w+): ({_NUMBER})(?![0-9])", raw.description, re.MULTILINE))
    if not {"low_gm_size", "high_gm_size", "fence"} <= facts.keys():
        return None
    low, high, fence = (int(facts[key]) for key in ("low_gm_size", "high_gm_size", "fence"))
    cost = (("low-gm", low * MIB), ("high-gm", high * MIB), ("fence", fence))
    return SliceType(raw.id, raw.name or raw.id, high * MIB, cost, None, raw.available)


def _mdpy(raw: Raw) -> SliceType | None:
    """`virtual display, 1024x768 framebuffer`: 4 bytes a pixel, rounded up to a power of two."""
    size = re.search(rf"(?<![0-9])({_NUMBER})x({_NUMBER})(?![0-9])", raw.description)
    vram = 1 << (int(size[1]) * int(size[2]) * 4 - 1).bit_length() if size else 0
    return SliceType(raw.id, raw.name or raw.id, vram, (("instances", 1),), None, raw.available, True)


def _mbochs(raw: Raw) -> SliceType | None:
    """`virtual display, 64 MB video memory`, from one pool; the screen is dma-buf only."""
    size = re.search(rf"(?<![0-9])({_NUMBER}) MB", raw.description)
    if size is None:
        return None
    vram = int(size[1]) * MIB
    return SliceType(raw.id, raw.name or raw.id, vram, (("memory", vram),), None, raw.available)


def _mtty(raw: Raw) -> SliceType | None:
    """`mtty-1` and `mtty-2` take as many ports as their number; there is no description."""
    ports = raw.id.partition("-")[2]
    if not re.fullmatch("[1-9][0-9]?", ports):
        return None
    return SliceType(raw.id, raw.name or raw.id, 0, (("ports", int(ports)),), None, raw.available)


_READERS = {"nvidia": _nvidia, "i915": _gvtg, "mdpy": _mdpy, "mbochs": _mbochs, "mtty": _mtty}
