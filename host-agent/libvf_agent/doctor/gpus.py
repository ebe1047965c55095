"""Cards of Intel, AMD and others: the driver that holds each, and whether it can be cut."""

from __future__ import annotations

from libvf_api.host import Finding, Severity

from libvf_agent.doctor.cures import PREPARE
from libvf_agent.doctor.facts import ENABLE_GVT, MAX_VFS, SERVED, Facts, Gpu
from libvf_agent.doctor.kernel import XE_FLOOR, told_version, version_of
from libvf_agent.preparation.facts import INTEL, NVIDIA

_TRUE = frozenset({"1", "Y", "y"})


def findings(facts: Facts) -> tuple[Finding, ...]:
    """All but NVIDIA's, which need more words."""
    found: list[Finding] = []
    for gpu in facts.gpus:
        if gpu.card.vendor == NVIDIA:
            continue
        found.append(_driver(gpu))
        if gpu.card.driver == "i915" and gpu.card.has_gvt:
            found.append(_gvt(facts, gpu))
        if gpu.card.driver == "xe":
            found += [_xe(facts, gpu), *_xe_kernel(facts, gpu)]
    return tuple(found)


def _driver(gpu: Gpu) -> Finding:
    address, driver = gpu.card.address, gpu.card.driver
    if driver or gpu.card.vendor not in SERVED:
        return Finding(address, "GpuDriver", Severity.OK, f"{gpu.card.told}: driver {driver or 'none'}")
    cure = (
        "modprobe xe or i915, whichever knows this card (modinfo lists them); dmesg says why it was left"
        if gpu.card.vendor == INTEL
        else "modprobe amdgpu; dmesg says why it was left"
    )
    what = f"{gpu.card.told}: no driver; it can be handed out whole, not cut"
    return Finding(address, "GpuDriver", Severity.WARNING, what, cure)


def _gvt(facts: Facts, gpu: Gpu) -> Finding:
    if gpu.mdev_parents:
        return Finding(gpu.card.address, "IntelGvt", Severity.OK, "GVT-g is on: the card is in /sys/class/mdev_bus")
    said = facts.parameters.get(ENABLE_GVT)
    lacks = []
    if ENABLE_GVT in facts.unreadable:
        lacks.append(f"/{ENABLE_GVT} can not be read (run this as root)")
    elif said is None:
        lacks.append("i915 shows no parameter enable_gvt")
    elif said not in _TRUE:
        lacks.append(f"i915.enable_gvt is {said}")
    if not facts.has_module("kvmgt"):
        lacks.append("kvmgt is not loaded")
    what = f"not shared by GVT-g: {', '.join(lacks) or 'not in /sys/class/mdev_bus'}"
    cure = f"{PREPARE} --gvt --yes, then reboot" if lacks else "dmesg | grep -i gvt (says why it did not start)"
    return Finding(gpu.card.address, "IntelGvt", Severity.WARNING, what, cure)


def _xe(facts: Facts, gpu: Gpu) -> Finding:
    if gpu.total_vfs:
        what = f"{gpu.vfs} of {gpu.total_vfs} virtual functions made"
        return Finding(gpu.card.address, "IntelXe", Severity.OK, what)
    limit = facts.parameters.get(MAX_VFS, "unknown")
    what = f"no virtual functions: sriov_totalvfs is {_told(gpu.total_vfs)}, xe.max_vfs is {limit}"
    cure = (
        f"{PREPARE} --xe-max-vfs N --yes, then reboot"
        if limit in ("0", "unknown")
        else "turn on SR-IOV in the firmware's settings; else this card has none and can be handed out whole only"
    )
    return Finding(gpu.card.address, "IntelXe", Severity.WARNING, what, cure)


def _told(number: int | None) -> str:
    return "missing" if number is None else str(number)


def _xe_kernel(facts: Facts, gpu: Gpu) -> tuple[Finding, ...]:
    running = version_of(facts.host.kernel.version)
    if running is None or running >= XE_FLOOR:
        return ()
    what = f"Linux {facts.host.kernel.version} has no sriov_admin: functions get equal parts, without limits of time"
    cure = f"start Linux {told_version(XE_FLOOR)} or newer"
    return (Finding(gpu.card.address, "IntelXeKernel", Severity.WARNING, what, cure),)
