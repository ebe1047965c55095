"""What a VM's Pod takes in memory beyond its guest. Pure."""

import math

from libvf_api.quantity import to_bytes

from libvf_operator.objects import Object
from libvf_operator.parts import Part

_MIB = 1 << 20
_FIXED = 160 * _MIB  # QEMU's own memory, the launcher's Python, slirp
_DISPLAY = 16 * _MIB


def part(spec: Object) -> Part:
    """The guest, a fixed part, 1/64 for page tables and dirty maps, and each display."""
    guest = to_bytes(spec["memory"]["size"])
    displays = max(1, len(spec.get("display", [])))
    return Part(memory=guest + _FIXED + math.ceil(guest / 64) + _DISPLAY * displays)
