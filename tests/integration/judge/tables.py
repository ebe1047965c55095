"""The vendors' tables, as data: which types a card has, how large they are and how many of them it takes.

NVIDIA: the type ids, sizes and `max_instance` that the vGPU manager prints of these cards (`mdevctl types`), which are
those of the tables in NVIDIA's vGPU user guide. Intel: `intel_vgpu_configs` of the kernel's i915/gvt, and the host's
own share there (128 MB low, 384 MB high graphics memory, 4 fences). The samples: samples/vfio-mdev of the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.integration.judge.rules import OneSize, Placements, Pools, Size, Spots

# framebuffer in GiB -> the most on one card
_OF_16 = {1: 16, 2: 8, 4: 4, 8: 2, 16: 1}
_OF_24 = {1: 24, 2: 12, 3: 8, 4: 6, 6: 4, 8: 3, 12: 2, 24: 1}
_OF_48 = {1: 32, 2: 24, 3: 16, 4: 12, 6: 8, 8: 6, 12: 4, 16: 3, 24: 2, 48: 1}

Rows = list[tuple[int, str]]  # the type's number, and its size and series as NVIDIA names it: "4Q"

A2: Rows = [
    *zip(range(742, 744), ("1B", "2B"), strict=True),
    *zip(range(744, 749), ("1Q", "2Q", "4Q", "8Q", "16Q"), strict=True),
    *zip(range(749, 754), ("1A", "2A", "4A", "8A", "16A"), strict=True),
    *zip(range(754, 757), ("4C", "8C", "16C"), strict=True),
]
P40: Rows = [
    *zip(range(46, 54), ("1Q", "2Q", "3Q", "4Q", "6Q", "8Q", "12Q", "24Q"), strict=True),
    *zip(range(54, 62), ("1A", "2A", "3A", "4A", "6A", "8A", "12A", "24A"), strict=True),
    *zip((62, 156, 215, 241), ("1B", "2B", "2B4", "1B4"), strict=True),
    *zip(range(283, 288), ("4C", "6C", "8C", "12C", "24C"), strict=True),
]
RTX_A6000: Rows = [
    *zip(range(522, 524), ("1B", "2B"), strict=True),
    *zip(range(524, 534), ("1Q", "2Q", "3Q", "4Q", "6Q", "8Q", "12Q", "16Q", "24Q", "48Q"), strict=True),
    *zip(range(534, 544), ("1A", "2A", "3A", "4A", "6A", "8A", "12A", "16A", "24A", "48A"), strict=True),
    *zip(range(548, 555), ("4C", "6C", "8C", "12C", "16C", "24C", "48C"), strict=True),
]


def _sizes(rows: Rows, most: Mapping[int, int]) -> dict[str, Size]:
    gigabytes = {f"nvidia-{number}": int("".join(c for c in name[:2] if c.isdigit())) for number, name in rows}
    return {kind: Size(size * 1024, most[size]) for kind, size in gigabytes.items()}


NVIDIA_A2 = OneSize(_sizes(A2, _OF_16), functions=16)
TESLA_P40 = OneSize(_sizes(P40, _OF_24))
NVIDIA_RTX_A6000 = OneSize(_sizes(RTX_A6000, _OF_48), functions=32)

# the vendor's own VFIO: the driver's numbers, and its sizes in GiB; the places on a card of 24 GiB that mixes sizes
# are those of the guide's chapter "vGPU Placements for GPUs in Mixed-Size Mode"
L40S: Rows = [(1145, "1B"), (1146, "2B"), *((1147 + n, f"{size}Q") for n, size in enumerate(_OF_48))]
NVIDIA_L40S = OneSize(_sizes(L40S, _OF_48), functions=32)
_PLACES_OF_24 = {4: (0, 8, 12, 20), 6: (0, 6, 12, 18), 8: (0, 16), 12: (0, 12), 24: (0,)}
NVIDIA_L4_MIXED = Placements(
    {f"nvidia-{1030 + n}": Spots(size * 1024, size, starts) for n, (size, starts) in enumerate(_PLACES_OF_24.items())},
    functions=16,
)

_GVTG = {
    "i915-GVTg_V5_8": {"low": 64, "high": 384, "fence": 4},
    "i915-GVTg_V5_4": {"low": 128, "high": 512, "fence": 4},
    "i915-GVTg_V5_2": {"low": 256, "high": 1024, "fence": 4},
    "i915-GVTg_V5_1": {"low": 512, "high": 2048, "fence": 4},
}


def gvtg(aperture: int, address_space: int = 4096) -> Pools:
    """An Intel GPU of generation 9 whose firmware gives an aperture of so many MB; larger types than fit are absent."""
    card = {"low": aperture - 128, "high": address_space - aperture - 384, "fence": 32 - 4}
    table = {kind: cost for kind, cost in _GVTG.items() if cost["low"] <= card["low"]}
    return Pools(table, card, {kind: cost["high"] for kind, cost in table.items()})


MDPY = Pools(
    {kind: {"instances": 1} for kind in ("mdpy-vga", "mdpy-xga", "mdpy-hd")},
    {"instances": 4},
    {"mdpy-vga": 2, "mdpy-xga": 4, "mdpy-hd": 8},
)
MBOCHS = Pools(
    {"mbochs-small": {"memory": 4}, "mbochs-medium": {"memory": 16}, "mbochs-large": {"memory": 64}},
    {"memory": 256},
    {"mbochs-small": 4, "mbochs-medium": 16, "mbochs-large": 64},
)
MTTY = Pools({"mtty-1": {"ports": 1}, "mtty-2": {"ports": 2}}, {"ports": 24})

WHOLE = Pools({"nvidia-whole": {"card": 1}}, {"card": 1}, {"nvidia-whole": 24 * 1024})


def xe(count: int, usable: int, *sizes: int) -> Pools:
    """An Intel card of which so many functions may be made; each gets a quota of its memory, in MiB."""
    table = {f"intel-vf-{size}m": {"functions": 1, "memory": size} for size in sizes}
    return Pools(table, {"functions": count, "memory": usable}, {f"intel-vf-{size}m": size for size in sizes})


def functions(count: int) -> Pools:
    """A card whose administrator has made so many equal virtual functions (SR-IOV): it is cut, and no longer whole.

    No file tells the memory of a function.
    """
    return Pools({"amd-vf": {"functions": 1}}, {"functions": count})


def functions_or_whole(count: int, memory: int) -> Pools:
    """A card that is cut into so many functions by the first that is asked for, or handed out whole while nobody has
    any of them; its memory in MiB is the administrator's word."""
    table = {"amd-vf": {"functions": 1}, "amd-whole": {"functions": count}}
    return Pools(table, {"functions": count}, {"amd-whole": memory})
