"""The files that are taken, by name: nothing else of a host is opened.

No name is here whose reading acts, waits or wakes the hardware. So a function's `config`, `rom`, `vpd` and BARs
stay away, and so do `current_link_*`, `max_link_*`, `resourceN_resize` and a bridge's bus numbers, for which the
kernel resumes a sleeping device (drivers/pci/pci-sysfs.c, pci_config_pm_runtime_get). No name is here that holds a
serial number or a user's word: `vpd`, amdgpu's `unique_id` and `serial_number`, NVIDIA's `vm_name`.

Two are taken although they may wake a card, by `cutting` and of cards alone that can be cut, as the agent asks for
them too and finds no such card without them: xe's `vram_mm`, and what NVIDIA's own tool says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowed:
    """Names in one kind of folder: texts are read, links followed; write-only files are noted, and not opened."""

    texts: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    write_only: frozenset[str] = frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION = Allowed(
    _names(
        "class vendor device subsystem_vendor subsystem_device revision resource numa_node local_cpulist boot_vga "
        "reset_method driver_override power_state d3cold_allowed enable ari_enabled mem_info_vram_total "
        "sriov_totalvfs sriov_numvfs sriov_drivers_autoprobe sriov_offset sriov_stride sriov_vf_device "
        "sriov_vf_total_msix sriov_vf_msix_count"
    ),
    _names("driver iommu_group physfn"),
    _names("remove rescan reset"),
)
VIRTUAL_FUNCTION = re.compile(r"virtfn\d+")
BRIDGE = Allowed(_names("class vendor device"))
PCI_BUS = Allowed(_names("drivers_autoprobe"), write_only=_names("drivers_probe"))
GROUP = Allowed(_names("type"))
DRIVER = Allowed(write_only=_names("bind unbind new_id remove_id"))

TYPE = Allowed(_names("name description device_api available_instances"), write_only=_names("create"))
MEDIATED = Allowed(links=_names("mdev_type iommu_group driver"), write_only=_names("remove"))

NVIDIA = Allowed(_names("creatable_vgpu_types current_vgpu_type gpu_instance_id placement_id vgpu_params"))

# xe: sriov_admin/{pf,vfN}; of .bulk_profile the profile's names, write-only
XE_FUNCTION = re.compile(r"pf|vf\d+")
XE = Allowed(links=_names("device"), write_only=_names("stop"))
XE_PROFILE = Allowed(_names("exec_quantum_ms preempt_timeout_us sched_priority vram_quota"))
XE_TILE = re.compile(r"tile\d{1,2}")
XE_MEMORY = Allowed(_names("physical_vram_size_bytes"))
XE_BULK = Allowed(write_only=XE_PROFILE.texts)

# i915 out of tree: drm/cardN/{prelim_iov,iov}/{pf,vfN}/gt*
DRM_NODE = re.compile(r"(?:card|renderD)\d+")
I915_FOLDERS = ("iov", "prelim_iov")
I915_FUNCTION = Allowed(_names("auto_provisioning"), _names("device"))
I915_GT = re.compile(r"gt\d*")
I915_QUOTAS = Allowed(
    _names("lmem_quota ggtt_quota contexts_quota doorbells_quota exec_quantum_ms preempt_timeout_us sched_priority")
)

MODULE = Allowed(_names("version taint initstate"))
# Those that the checks of `doctor` ask for, and their parameters that decide how a card is cut. None is a path
PARAMETERS: dict[str, frozenset[str]] = {
    "amdgpu": _names("dc runpm virtual_display"),
    "gim": _names("vf_num"),
    "i915": _names("enable_guc enable_gvt force_probe max_vfs modeset"),
    "kvm": _names("ignore_msrs nx_huge_pages"),
    "kvm_amd": _names("avic nested npt sev"),
    "kvm_intel": _names("enable_apicv ept nested"),
    "kvmgt": frozenset(),
    "mdev": frozenset(),
    "nouveau": _names("modeset"),
    "nvidia": _names("NVreg_EnableGpuFirmware NVreg_OpenRmEnableUnsupportedGpus rm_firmware_active"),
    "nvidia_drm": _names("fbdev modeset"),
    "nvidia_vgpu_vfio": frozenset(),
    "vfio": _names("enable_unsafe_noiommu_mode"),
    "vfio_iommu_type1": _names("allow_unsafe_interrupts disable_hugepages dma_entry_limit"),
    "vfio_pci": _names("disable_denylist disable_idle_d3 disable_vga enable_sriov ids nointxmask"),
    "xe": _names("force_probe max_vfs probe_display vram_bar_size"),
}
VFIO_MODULE = re.compile(r"\w*vfio\w*")

NUMA_NODE = re.compile(r"node\d+")
NUMA = Allowed(_names("cpulist distance"))
PAGE_SIZE = re.compile(r"hugepages-\d+kB")
PAGES = Allowed(_names("nr_hugepages free_hugepages surplus_hugepages"))

# on the kernel command line, beside MODULE.PARAMETER of the above; `-` and `_` are the same
WORDS = _names(
    "intel_iommu amd_iommu iommu iommu.passthrough iommu.strict default_hugepagesz hugepagesz hugepages pci "
    "pcie_aspm pcie_acs_override pcie_ports isolcpus nohz_full rcu_nocbs nomodeset lockdown module_blacklist "
    "modprobe.blacklist rd.driver.blacklist rd.driver.pre cgroup_disable cgroup_no_v1 "
    "systemd.unified_cgroup_hierarchy efi numa numa_balancing transparent_hugepage"
)
