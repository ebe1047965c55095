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
_TPM = 8 * _MIB  # swtpm and libtpms
_FILESYSTEM = 24 * _MIB  # a virtiofsd, with some thousand files that the guest knows


def part(spec: Object) -> Part:
    """The guest, a fixed part, 1/64 for page tables and dirty maps, what shows it, and the programs beside QEMU.

    A guest of huge pages is not in memory.max: the kernel charges them to the hugetlb cgroup alone, whose limit is the
    resource hugepages-<size>.
    """
    guest, huge = to_bytes(spec["memory"]["size"]), spec["memory"].get("hugepages")
    overhead = _FIXED + math.ceil(guest / 64) + _shown(spec) + _beside(spec)
    if huge:
        return Part(memory=overhead, limits={f"hugepages-{huge}": str(guest)})
    return Part(memory=guest + overhead)


def _shown(spec: Object) -> int:
    """Each display, and what it may fall back to."""
    displays = _DISPLAY * max(1, len(spec.get("display", [])))
    spice = _SPICE if "spice" in (*spec.get("display", []), spec.get("audio")) else 0
    virtual = _VIRTUAL_GPU if spec.get("graphics", {}).get("fallback", "None") != "None" else 0
    return displays + spice + virtual


def _beside(spec: Object) -> int:
    return _TPM * bool(spec.get("firmware", {}).get("tpm")) + _FILESYSTEM * len(spec.get("filesystems", []))
