"""A million odd texts through everything that reads what a driver says: a value or a typed error, nothing else.

The seed is printed; LIBVF_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from libvf_agent import mdev_types, pci
from libvf_agent.errors import AgentError
from libvf_agent.inventory import SliceType
from libvf_api.pci import BadPciAddress, PciAddress

INPUTS = 1_000_000
SEED = int(os.environ.get("LIBVF_SEED") or random.randrange(1 << 32))

# what breaks readers: digits that are no ASCII, signs, separators, ends of lines, nothing, very much
ODD = [
    "",
    " ",
    "\n",
    "\0",
    "-",
    "+",
    "_",
    "٣",
    "²",
    "Ⅷ",
    "０",
    "0x",
    "1e9",
    "9" * 40,
    "=",
    ",",
    ":",
    "%s",
    "\ufeff",
    "é",
    "M",
    "MB",
]


@dataclass(frozen=True, slots=True)
class Reader:
    """A parser, texts that it understands, and the errors that it may raise."""

    read: Callable[[str], object]
    samples: tuple[str, ...]
    errors: tuple[type[Exception], ...] = (AgentError,)
    sound: Callable[[object], bool] = lambda value: True


def _type(type_id: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        return mdev_types.parse(mdev_types.Raw(type_id, text[:20], text, 1))

    return read


def _sound_type(value: object) -> bool:
    if value is None:
        return True
    assert isinstance(value, SliceType)
    return value.vram >= 0 and all(amount > 0 for _, amount in value.cost) and (value.limit is None or value.limit > 0)


NVIDIA = "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4"
GVTG = "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4"
BAR = "0x0000004000000000 0x00000043ffffffff 0x000000000014220c\n0x0 0x0 0x0"

READERS = {
    "nvidia's description": Reader(_type("nvidia-746"), (NVIDIA,), sound=_sound_type),
    "GVT-g's description": Reader(_type("i915-GVTg_V5_4"), (GVTG,), sound=_sound_type),
    "mdpy's description": Reader(_type("mdpy-xga"), ("virtual display, 1024x768 framebuffer",), sound=_sound_type),
    "mbochs' description": Reader(_type("mbochs-small"), ("virtual display, 4 MB video memory",), sound=_sound_type),
    "a type folder's name": Reader(
        lambda text: mdev_types.parse(mdev_types.Raw(text, "", "", 1)),
        ("nvidia-746", "mtty-2", "i915-GVTg_V5_4"),
        sound=_sound_type,
    ),
    "a resource file": Reader(pci.bars, (BAR,), sound=lambda value: all(size > 0 for size in value)),  # type: ignore[attr-defined]
    "a count": Reader(pci.number, ("0", "16", "4294967295"), sound=lambda value: value >= 0),  # type: ignore[operator]
    "an address": Reader(PciAddress.parse, ("0000:3b:00.0", "3b:00.1"), (BadPciAddress,)),
}


def odd(text: str, dice: random.Random) -> str:
    """The text with some places of it changed, lost, doubled or made long."""
    for _ in range(dice.randint(1, 4)):
        at, to = sorted(dice.randint(0, len(text)) for _ in range(2))
        kind = dice.randrange(6)
        if kind == 0:
            text = text[:at] + dice.choice(ODD) + text[at:]
        elif kind == 1:
            text = text[:at] + text[to:]
        elif kind == 2:
            text = text[:to] + text[at:to] + text[to:]
        elif kind == 3:
            text = text[:at] + chr(dice.randrange(1, 0x2000)) + text[at + 1 :]
        elif kind == 4:
            text = text[:at] + str(dice.randrange(1 << dice.randrange(1, 130))) + text[to:]
        else:
            text = text[at:to] + text[:at]
    return text[:4096]


@pytest.mark.parametrize("name", READERS)
def test_no_text_breaks(name: str) -> None:
    print(f"LIBVF_SEED={SEED}")
    reader, dice = READERS[name], random.Random(f"{SEED}/{name}")
    understood = 0
    for _ in range(-(-INPUTS // len(READERS))):
        text = odd(dice.choice(reader.samples), dice)
        try:
            value = reader.read(text)
        except reader.errors:
            continue
        assert reader.sound(value), (text, value)
        understood += value is not None
    assert understood, "every text was refused: the samples are not understood at all"
