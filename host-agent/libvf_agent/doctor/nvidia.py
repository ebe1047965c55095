"""NVIDIA's cards: who holds them, whether the vGPU manager runs, and in what its slices are made.

The host driver comes under a licence that lets nobody else hand it out; its steps are told by `prepare`.
"""

from __future__ import annotations

from libvf_api.host import Finding, Severity

from libvf_agent.doctor.cures import PREPARE, PREPARE_AND_REBOOT
from libvf_agent.doctor.facts import Facts, Gpu
from libvf_agent.preparation.facts import NVIDIA, SecureBoot

SERVICES = ("nvidia-vgpud", "nvidia-vgpu-mgr")
_STEPS = f"{PREPARE} (tells the steps to NVIDIA's vGPU host driver)"


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Driver and slices for each card, and the services once."""
    gpus = [gpu for gpu in facts.gpus if gpu.card.vendor == NVIDIA]
    held = [gpu for gpu in gpus if gpu.card.driver == "nvidia"]
    drivers = tuple(_driver(facts, gpu) for gpu in gpus)
    manager = _has_manager(facts)
    services = (_services(facts),) if held and manager else ()
    return (*drivers, *services, *(_slices(facts, gpu, manager) for gpu in held))


def _driver(facts: Facts, gpu: Gpu) -> Finding:
    address, driver = gpu.card.address, gpu.card.driver
    if driver == "nvidia":
        version = facts.nvidia_version or "of unknown version (no /sys/module/nvidia/version)"
        return Finding(address, "GpuDriver", Severity.OK, f"{gpu.card.told}: driver nvidia {version}")
    if driver == "nouveau":
        what = f"{gpu.card.told}: nouveau holds it, so neither NVIDIA's driver nor vfio-pci can"
        return Finding(address, "GpuDriver", Severity.ERROR, what, PREPARE_AND_REBOOT)
    if driver:
        what = f"{gpu.card.told}: driver {driver}; it can be handed out whole, not cut"
        return Finding(address, "GpuDriver", Severity.OK, what)
    if facts.has_module("nvidia"):
        what = f"{gpu.card.told}: no driver, although nvidia {facts.nvidia_version} is loaded".replace("  ", " ")
        return Finding(
            address, "GpuDriver", Severity.WARNING, what, "dmesg | grep -i nvrm (says why it left this card)"
        )
    signed = "; Secure Boot is on and refuses an unsigned one" if facts.host.secure_boot is SecureBoot.ON else ""
    what = f"{gpu.card.told}: no driver, nvidia is not in /sys/module{signed}; it can be handed out whole, not cut"
    return Finding(address, "GpuDriver", Severity.WARNING, what, _STEPS)


def _has_manager(facts: Facts) -> bool:
    """Whether the driver that runs is the vGPU host driver; a guest's or a desktop's has none of these."""
    return _has_types(facts) or facts.has_module("nvidia_vgpu_vfio") or "nvidia-vgpud" in facts.host.seen.commands


def _has_types(facts: Facts) -> bool:
    return any(gpu.mdev_parents or gpu.vfio_functions for gpu in facts.gpus if gpu.card.vendor == NVIDIA)


def _services(facts: Facts) -> Finding:
    """nvidia-vgpud tells the driver its types; where these are there and it has ended, its work is done."""
    missing = [name for name in SERVICES if name not in facts.processes]
    if _has_types(facts) and missing == ["nvidia-vgpud"]:
        what = "nvidia-vgpu-mgr runs; nvidia-vgpud has ended, and the driver has its types"
        return Finding("host", "NvidiaServices", Severity.OK, what)
    if not missing:
        return Finding("host", "NvidiaServices", Severity.OK, f"{' and '.join(SERVICES)} run")
    return Finding(
        "host",
        "NvidiaServices",
        Severity.ERROR,
        f"no process of that name in /proc: {', '.join(missing)}",
        f"systemctl enable --now {' '.join(missing)}; journalctl -u {missing[0]} says why one ended",
    )


def _slices(facts: Facts, gpu: Gpu, manager: bool) -> Finding:
    address = gpu.card.address
    if gpu.mdev_parents:
        what = f"mediated devices, {len(gpu.mdev_parents)} parents in /sys/class/mdev_bus"
        return Finding(address, "NvidiaSlices", Severity.OK, what)
    if gpu.vfio_functions:
        what = f"NVIDIA's own VFIO, {len(gpu.vfio_functions)} functions with a folder nvidia"
        return Finding(address, "NvidiaSlices", Severity.OK, what)
    if not manager:
        what = f"driver {facts.nvidia_version or 'nvidia'} runs without the vGPU manager: the card can not be cut"
        return Finding(address, "NvidiaSlices", Severity.WARNING, what, _STEPS)
    if gpu.total_vfs and not gpu.vfs:
        what = f"sriov_numvfs is 0 of {gpu.total_vfs}: slices are made in virtual functions"
        return Finding(
            address, "NvidiaSlices", Severity.ERROR, what, f"/usr/lib/nvidia/sriov-manage -e {address}, at every boot"
        )
    what = "neither a parent in /sys/class/mdev_bus nor a function with a folder nvidia"
    return Finding(address, "NvidiaSlices", Severity.ERROR, what, "systemctl restart nvidia-vgpud, and see its journal")
