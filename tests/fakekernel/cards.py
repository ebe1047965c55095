"""Mediated cards as they are described in the field: the kernel's samples, NVIDIA's and Intel's."""

from __future__ import annotations

import errno

from tests.fakekernel.mdev import Card, Type


def mdpy() -> Card:
    """Four displays of any of three sizes."""
    sizes = {"vga": "640x480", "xga": "1024x768", "hd": "1920x1080"}
    types = [
        Type(f"mdpy-{k}", k.upper(), f"virtual display, {v} framebuffer", {"instances": 1}) for k, v in sizes.items()
    ]
    return Card("mdpy", ["mdpy"], {t.id: t for t in types}, {"instances": 4}, full=errno.EUSERS)


def mbochs() -> Card:
    """256 MB of video memory for cards of 4, 16 and 64."""
    sizes = {"small": 4, "medium": 16, "large": 64}
    types = [Type(f"mbochs-{k}", k, f"virtual display, {v} MB video memory", {"mb": v}) for k, v in sizes.items()]
    return Card("mbochs", ["mbochs"], {t.id: t for t in types}, {"mb": 256})


def mtty() -> Card:
    """24 serial ports, by one or two; no descriptions."""
    types = [Type(f"mtty-{n}", f"{w} port serial", None, {"ports": n}) for n, w in ((1, "Single"), (2, "Dual"))]
    return Card("mtty", ["mtty"], {t.id: t for t in types}, {"ports": 24})


def nvidia(vfs: int = 16) -> Card:
    """A 16 GiB card behind virtual functions, one size at a time, two series."""
    types = {}
    for number, (size, series) in enumerate([(s, n) for s in (1, 2, 4, 8, 16) for n in "QC"]):
        limit = 16 // size
        text = f"num_heads=4, framebuffer={size * 1024}M, max_resolution=7680x4320, max_instance={limit}"
        kind = Type(f"nvidia-{700 + number}", f"NVIDIA A2-{size}{series}", text, {}, limit, size)
        types[kind.id] = kind
    parents = [f"0000:65:{n // 8:02x}.{n % 8}" for n in range(4, 4 + vfs)]
    return Card("0000:65:00.0", parents, types, numa_node=0, pci_id="10de:25b6")


def gvtg() -> Card:
    """An Intel GPU; low and high graphics memory and fences."""
    types = {}
    for suffix, low, high in ((8, 64, 384), (4, 128, 512), (2, 256, 1024), (1, 512, 2048)):
        text = f"low_gm_size: {low}MB\nhigh_gm_size: {high}MB\nfence: 4\nweight: {16 // suffix}"
        cost = {"low": low, "high": high, "fence": 4}
        types[f"i915-GVTg_V5_{suffix}"] = Type(f"i915-GVTg_V5_{suffix}", f"GVTg_V5_{suffix}", text, cost)
    pools = {"low": 512, "high": 3072, "fence": 28}
    return Card("0000:00:02.0", ["0000:00:02.0"], types, pools, numa_node=0, pci_id="8086:591b")
