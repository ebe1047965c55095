"""Reading what NVIDIA's driver and its nvidia-smi say of vGPU types and of a card. Pure text in, values out.

Sources: `creatable_vgpu_types` of a virtual function as of R580 (sysfs-abi.md), `nvidia-smi vgpu -s -v` and
`nvidia-smi -q` as of R580; Virtual GPU Software User Guide, "Virtual GPU Types Reference" for the names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from libvf_agent.inventory import MIB

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class VgpuType:
    """A vGPU type by the driver's number for it; `vram` in bytes.

    `limit` is the most that a card takes of it where it takes one size only, None where that was not said.
    """

    id: int
    name: str
    vram: int
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What nvidia-smi says of a card: whether it mixes sizes now, whether it could, whether MIG is on.

    `mixes` is None where the driver has no such mode.
    """

    mixes: bool | None
    can_mix: bool
    mig: bool


def creatable(text: str) -> tuple[VgpuType, ...]:
    """The types in a `creatable_vgpu_types`: a header that may be missing, then `1147  : NVIDIA L40S-1Q`.

    Types of MIG instances are left out (see `size_of`); names hold spaces and, in principle, colons.
    """
    found = []
    for line in text.splitlines():
        number, _, name = line.partition(":")
        kind = _type(number, name, size_of(name.strip()), None)
        if kind:
            found.append(kind)
    return tuple(found)


def supported(text: str) -> tuple[VgpuType, ...]:
    """The time-sliced types in the output of `nvidia-smi vgpu -s -v`, whatever is made at the moment.

    Blocks of `key : value`, each begun by `vGPU Type ID : 0x5f1`. "Max Instances" is compared whole, as the keys
    of what a VM and an instance take begin with it too.
    """
    blocks: list[dict[str, str]] = []
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "vGPU Type ID":
            blocks.append({})
        if blocks:
            blocks[-1].setdefault(key, value)
    return tuple(kind for kind in map(_block, blocks) if kind)


def _block(block: dict[str, str]) -> VgpuType | None:
    name = block.get("Name", "")
    memory = re.fullmatch(r"([0-9]{1,7}) MiB", block.get("FB Memory", ""))
    most = block.get("Max Instances", "")
    limit = int(most) if re.fullmatch(r"[1-9][0-9]{0,2}", most) else None
    vram = int(memory[1]) * MIB if memory else size_of(name)
    number = block.get("vGPU Type ID", "")
    hexadecimal = re.fullmatch(r"0x([0-9a-fA-F]{1,8})", number)
    is_mig = size_of(name) == 0 or block.get("GPU Instance Profile ID", "N/A") != "N/A"
    return None if is_mig else _type(str(int(hexadecimal[1], 16)) if hexadecimal else number, name, vram, limit)


def _type(number: str, name: str, vram: int, limit: int | None) -> VgpuType | None:
    identifier = current(number)
    return VgpuType(identifier, name.strip(), vram, limit) if identifier and vram else None


def said(text: str) -> Said:
    """What `nvidia-smi -q` says of one card; a driver that is older says nothing of mixing."""
    mode = re.search(r"^\s*vGPU Heterogeneous Mode\s*:\s*(\S+)\s*$", text, re.MULTILINE)
    words = {"Enabled": True, "Disabled": False}
    sizes = re.search(r"^\s*Heterogeneous Time-Slice Sizes\s*:\s*Supported\s*$", text, re.MULTILINE)
    mig = re.search(r"^\s*MIG Mode\s*\n\s*Current\s*:\s*Enabled\s*$", text, re.MULTILINE)
    return Said(words.get(mode[1]) if mode else None, sizes is not None, mig is not None)


def size_of(name: str) -> int:
    """The framebuffer in bytes, from a name's end: 8 GiB of "NVIDIA L40S-8Q"; 0 where it is not understood.

    MIG-backed types ("A100-1-5C", "H200X-1-18CME") are not: how many of them a card takes is decided by the
    instances it was cut into, which no file tells.
    """
    found = re.search(r"(?<!-[0-9])-([1-9][0-9]{0,2})[ABCQ]4?$", name)
    return int(found[1]) * GIB if found else 0


def current(text: str) -> int | None:
    """The number in a `current_vgpu_type`, 0 for none; None for anything else."""
    stripped = text.strip()
    return int(stripped) if re.fullmatch(r"[0-9]{1,9}", stripped) else None
