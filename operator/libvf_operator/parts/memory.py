"""What a VM's Pod takes in memory beyond its guest. Pure."""

import math

from libvf_api.quantity import to_bytes

from libvf_operator.objects import Object
from libvf_operator.parts import Part

_MIB = 1 << 20
_FIXED = 160 * _MIB  # QEMU's own memory, the launcher's Python, slirp
_DISPLAY = 16 * _MIB
_SPICE = 32 * _MIB  # what its server keeps of pictures for a client that is slow
_VIRTUAL_GPU = 64 * _MIB  # what a guest may keep of pictures in QEMU


def part(spec: Object) -> Part:
    """The guest, a fixed part, 1/64 for page tables and dirty maps, each display, and what it may fall back to."""
    guest = to_bytes(spec["memory"]["size"])
    displays = _DISPLAY * max(1, len(spec.get("display", [])))
    spice = _SPICE if "spice" in (*spec.get("display", []), spec.get("audio")) else 0
    virtual = _VIRTUAL_GPU if spec.get("graphics", {}).get("fallback", "None") != "None" else 0
    return Part(memory=guest + _FIXED + math.ceil(guest / 64) + displays + spice + virtual)
