"""Files of which only a part is taken: from a text to the lines that are kept. Pure."""

from __future__ import annotations

import re

from libvf_agent.capture.allowed import PARAMETERS, WORDS
from libvf_agent.preparation import words

_VALUE = re.compile(r"[\w.,:;=@+*!-]*", re.ASCII)
_KIB_PER_GIB = 1 << 20

_TYPE = "vGPU Type ID"
_OF_A_TYPE = {
    _TYPE: re.compile(r"0x[0-9a-fA-F]{1,8}|[0-9]{1,9}"),
    "Name": re.compile(r"[A-Za-z0-9][A-Za-z0-9 .+-]{0,60}-[0-9]{1,3}[A-Z]{1,3}4?"),
    "FB Memory": re.compile(r"[0-9]{1,7} MiB"),
    "Max Instances": re.compile(r"[0-9]{1,3}"),
    "GPU Instance Profile ID": re.compile(r"N/A|[0-9]{1,4}"),
}
_MODES = re.compile(
    r"^[ \t]*(?:vGPU Heterogeneous Mode[ \t]*:[ \t]*(?:Enabled|Disabled|N/A)"
    r"|Heterogeneous Time-Slice Sizes[ \t]*:[ \t]*(?:Supported|Not Supported|N/A)"
    r"|MIG Mode[ \t]*\n[ \t]*Current[ \t]*:[ \t]*(?:Enabled|Disabled|N/A))(?=[ \t]*$)",
    re.MULTILINE,
)


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
    """Of `nvidia-smi vgpu -s -v` the lines that say which types there are, how big, and how many of each.

    The first of each in a type, as the reader takes them. A value of another form becomes `?`, which is read as
    one that is not understood, and not as one that is missing.
    """
    kept: list[str] = []
    told: set[str] | None = None  # of this type; none before the first
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == _TYPE:
            told = set()
        if key in _OF_A_TYPE and told is not None and key not in told:
            told.add(key)
            kept.append(f"{key} : {value if _OF_A_TYPE[key].fullmatch(value) else '?'}\n")
    return "".join(kept)


def vgpu_modes(text: str) -> str:
    """Of `nvidia-smi -q` the modes that decide how a card is cut, in NVIDIA's own words and no others."""
    return "".join(f"{found[0]}\n" for found in _MODES.finditer(text))


def managed_memory(text: str) -> str:
    """Of xe's `vram_mm` the line that says how much there is: the rest is what is in it now."""
    found = re.search(r"^\s*size: [0-9]{1,19}$", text, re.MULTILINE)
    return f"{found[0]}\n" if found else ""


def _is_ours(word: str) -> bool:
    key, _, value = word.partition("=")
    key = key.replace("-", "_")
    module, _, parameter = key.partition(".")
    return (key in WORDS or parameter in PARAMETERS.get(module, ())) and bool(_VALUE.fullmatch(value))
