"""What drivers show in a function's own folder of how it is cut: NVIDIA's VFIO, xe, i915; and its VFIO nodes."""

from __future__ import annotations

from collections.abc import Sequence

from libvf_agent.backends.xe import DEBUG
from libvf_agent.capture import reduced
from libvf_agent.capture.allowed import (
    DRM_NODE,
    I915_FOLDERS,
    I915_FUNCTION,
    I915_GT,
    I915_QUOTAS,
    NVIDIA,
    XE,
    XE_BULK,
    XE_FUNCTION,
    XE_MEMORY,
    XE_PROFILE,
    XE_TILE,
)
from libvf_agent.capture.taker import Taker
from libvf_agent.nvidia_smi import TOOL


def take(taker: Taker, folder: str, names: Sequence[str]) -> None:
    """What there is of it among the `names` in a function's or a mediated device's folder."""
    if "nvidia" in names:
        taker.take(f"{folder}/nvidia", NVIDIA)
    if "sriov_admin" in names:
        _xe(taker, f"{folder}/sriov_admin")
        _memory(taker, folder, names)
    if "drm" in names:
        _drm(taker, f"{folder}/drm")
    if "vfio-dev" in names:
        for node in taker.names(f"{folder}/vfio-dev"):
            taker.names(f"{folder}/vfio-dev/{node}")


def _xe(taker: Taker, folder: str) -> None:
    for name in taker.names(folder):
        if name == ".bulk_profile":
            taker.take(f"{folder}/{name}", XE_BULK)
        elif XE_FUNCTION.fullmatch(name):
            taker.take(f"{folder}/{name}", XE)
            taker.take(f"{folder}/{name}/profile", XE_PROFILE)


def _memory(taker: Taker, folder: str, names: Sequence[str]) -> None:
    """How much the driver manages of each tile; the agent itself reads it when it finds the card."""
    tiles = [name for name in names if XE_TILE.fullmatch(name)]
    for tile in tiles:
        taker.take(f"{folder}/{tile}", XE_MEMORY)
    for tile in tiles or ["tile0"]:
        taker.reduced(f"{DEBUG}/{folder.rpartition('/')[2]}/{tile}/vram_mm", reduced.managed_memory)


def tool(taker: Taker, address: str) -> None:
    """What NVIDIA's own tool says of a card, which no file tells; of its modes only where it has types."""
    if taker.program((TOOL, "vgpu", "-s", "-v", "-i", address), reduced.vgpu_types):
        taker.program((TOOL, "-q", "-i", address), reduced.vgpu_modes)


def _drm(taker: Taker, folder: str) -> None:
    for node in filter(DRM_NODE.fullmatch, taker.names(folder)):
        for name in taker.names(f"{folder}/{node}"):
            if name in I915_FOLDERS:
                _i915(taker, f"{folder}/{node}/{name}")


def _i915(taker: Taker, folder: str) -> None:
    for function in filter(XE_FUNCTION.fullmatch, taker.names(folder)):
        for name in taker.take(f"{folder}/{function}", I915_FUNCTION):
            if I915_GT.fullmatch(name):
                taker.take(f"{folder}/{function}/{name}", I915_QUOTAS)
