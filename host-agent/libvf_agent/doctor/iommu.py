"""Whether devices that reach into memory by themselves are kept inside their virtual machine, and VFIO is there."""

from __future__ import annotations

from libvf_api.host import Finding, Severity

from libvf_agent.doctor.cures import PREPARE_AND_REBOOT, prepare_now
from libvf_agent.doctor.facts import SERVED, Facts
from libvf_agent.preparation import command_line
from libvf_agent.preparation.facts import Cpu
from libvf_agent.preparation.wishes import Wishes


def findings(facts: Facts) -> tuple[Finding, ...]:
    """The IOMMU, the groups of the cards, the modules of VFIO."""
    return (_iommu(facts), *_groups(facts), _vfio(facts))


def _iommu(facts: Facts) -> Finding:
    if facts.iommus:
        what = f"{', '.join(facts.iommus)} in /sys/class/iommu, {facts.iommu_groups} groups"
        return Finding("host", "Iommu", Severity.OK, what)
    words = command_line.running(facts.host, Wishes())
    # iommu=pt says how an IOMMU works and turns none on
    if words.remove or "intel_iommu=on" in words.add:
        how = [f"without {' '.join(words.add)}"] * bool(words.add) + [f"with {' '.join(words.remove)}"] * bool(
            words.remove
        )
        cure = f"{PREPARE_AND_REBOOT}; the kernel was started {' and '.join(how)}"
    else:
        names = {Cpu.INTEL: "VT-d", Cpu.AMD: "IOMMU (AMD-Vi)"}.get(facts.host.cpu, "the IOMMU")
        cure = f"turn on {names} in the firmware's settings"
    return Finding("host", "Iommu", _severity(facts), "/sys/class/iommu is empty: no IOMMU is on", cure)


def _severity(facts: Facts) -> Severity:
    """GVT-g and devices made of software alone are checked by their driver and run without one."""
    needed = any(gpu.card.vendor in SERVED and not gpu.card.has_gvt for gpu in facts.gpus)
    return Severity.ERROR if needed else Severity.WARNING


def _groups(facts: Facts) -> tuple[Finding, ...]:
    """Only where an IOMMU is on: without one no card has a group, and that is said once."""
    if not facts.iommus:
        return ()
    cards = [gpu for gpu in facts.gpus if gpu.card.vendor in SERVED]
    return tuple(
        Finding(gpu.card.address, "IommuGroup", Severity.OK, f"in IOMMU group {gpu.iommu_group}")
        if gpu.iommu_group
        else Finding(
            gpu.card.address,
            "IommuGroup",
            Severity.ERROR,
            f"/sys/bus/pci/devices/{gpu.card.address}/iommu_group is missing: no IOMMU is over this card",
            "dmesg | grep -i -e dmar -e amd-vi (says which devices the firmware leaves out; a newer firmware may not)",
        )
        for gpu in cards
    )


def _vfio(facts: Facts) -> Finding:
    """The core of VFIO built into the kernel shows no folder in /sys/module, but its class."""
    here = {"vfio"} if facts.vfio_core else set()
    lacking = [
        name for name in ("vfio", "vfio_iommu_type1", "vfio_pci") if name not in here and not facts.has_module(name)
    ]
    if not lacking:
        return Finding("host", "Vfio", Severity.OK, "vfio, vfio_iommu_type1, vfio_pci are in /sys/module or built in")
    # slices of mediated devices need no vfio_pci
    severity = Severity.WARNING if lacking == ["vfio_pci"] else Severity.ERROR
    never = [name for name in lacking if not facts.host.kernel.has(name)]
    cure = (
        f"start a kernel that has {', '.join(never)} (CONFIG_VFIO, CONFIG_VFIO_IOMMU_TYPE1, CONFIG_VFIO_PCI)"
        if never
        else prepare_now(*lacking)
    )
    return Finding("host", "Vfio", severity, f"not in /sys/module: {', '.join(lacking)}", cure)
