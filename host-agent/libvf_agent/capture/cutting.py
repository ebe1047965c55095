"""What drivers show in a function's own folder of how it is cut: NVIDIA's VFIO, xe, i915; and its VFIO nodes."""

from __future__ import annotations

from collections.abc import Sequence

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
    XE_PROFILE,
)
from libvf_agent.capture.taker import Taker


def take(taker: Taker, folder: str, names: Sequence[str]) -> None:
    """What there is of it among the `names` in a function's or a mediated device's folder."""
    if "nvidia" in names:
        taker.take(f"{folder}/nvidia", NVIDIA)
    if "sriov_admin" in names:
        _xe(taker, f"{folder}/sriov_admin")
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
