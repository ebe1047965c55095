"""Files of which only a part is taken: from a text to the lines that are kept. Pure."""

from __future__ import annotations

import re

from libvf_agent.capture.allowed import PARAMETERS, WORDS
from libvf_agent.preparation import words

_VALUE = re.compile(r"[\w.,:;=@+*!-]*", re.ASCII)
_KIB_PER_GIB = 1 << 20


def command_line(text: str) -> str:
    """The words that decide how cards are cut; none with a blank or a slash, as no such value is one of ours."""
    return " ".join(word for word in words.split(text) if _is_ours(word)) + "\n"


def memory(text: str) -> str:
    """A NUMA node's `MemTotal` in whole GiB: how much it has, not which machine it is."""
    found = re.search(r"^Node\s+(\d+)\s+MemTotal:\s+(\d+) kB$", text, re.MULTILINE)
    if not found:
        return ""
    total = max(1, round(int(found[2]) / _KIB_PER_GIB)) * _KIB_PER_GIB
    return f"Node {found[1]} MemTotal: {total:>14} kB\n"


def distribution(text: str) -> str:
    """`ID` and `VERSION_ID` of os-release."""
    found = re.findall(r"^(?:VERSION_)?ID=\"?[\w.-]+\"?$", text, re.MULTILINE | re.ASCII)
    return "".join(f"{line}\n" for line in found)


def nvidia_version(text: str) -> str:
    """Up to the number: an open module goes on with the user and the host that built it."""
    found = re.search(r"^NVRM version:[\w /-]*?\s\d+(?:\.\d+)+", text, re.ASCII)
    return f"{found[0]}\n" if found else ""


def cpu(text: str) -> str:
    """The first processor's maker and whether it virtualises."""
    vendor = re.search(r"^vendor_id\s*:\s*(\w+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    kept = sorted({"vmx", "svm"} & set(flags[1].split() if flags else ()))
    return (f"vendor_id\t: {vendor[1]}\n" if vendor else "") + (f"flags\t\t: {' '.join(kept)}\n" if flags else "")


def vgpu_types(text: str) -> str:
    """Of `nvidia-smi vgpu -s -v` the lines that say which types there are, how big, and how many of each."""
    keys = ("vGPU Type ID", "Name", "FB Memory", "Max Instances", "GPU Instance Profile ID")
    return "".join(f"{line}\n" for line in text.splitlines() if line.partition(":")[0].strip() in keys)


def vgpu_modes(text: str) -> str:
    """Of `nvidia-smi -q` the modes that decide how a card is cut: no name, no serial number, no process."""
    modes = ("vGPU Heterogeneous Mode", "Heterogeneous Time-Slice Sizes", "MIG Mode")
    lines = text.splitlines()
    keys = [line.partition(":")[0].strip() for line in lines]
    before = ["", *keys]
    told = (k in modes or (k == "Current" and b == "MIG Mode") for k, b in zip(keys, before, strict=False))
    return "".join(f"{line}\n" for line, kept in zip(lines, told, strict=True) if kept)


def managed_memory(text: str) -> str:
    """Of xe's `vram_mm` the line that says how much there is: the rest is what is in it now."""
    found = re.search(r"^\s*size: [0-9]{1,19}$", text, re.MULTILINE)
    return f"{found[0]}\n" if found else ""


def _is_ours(word: str) -> bool:
    key, _, value = word.partition("=")
    key = key.replace("-", "_")
    module, _, parameter = key.partition(".")
    return (key in WORDS or parameter in PARAMETERS.get(module, ())) and bool(_VALUE.fullmatch(value))
