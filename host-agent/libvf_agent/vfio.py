"""What user space opens of a device that a VFIO driver has; `folder` is the device's, in sysfs.

Source: Documentation/driver-api/vfio.rst. Both ways are counted, as any process may go either: the group's node, and
the device's own with iommufd.
"""

from __future__ import annotations

from libvf_agent.sysfs import Sysfs


def group(sysfs: Sysfs, folder: str) -> int | None:
    """The number of a device's IOMMU group, None where it is in none."""
    name = sysfs.link_name(f"{folder}/iommu_group") or ""
    return int(name) if name.isascii() and name.isdecimal() else None


def nodes(sysfs: Sysfs, folder: str) -> list[str]:
    """The nodes in /dev by which a device can be open."""
    number = group(sysfs, folder)
    of_group = [] if number is None else [f"/dev/vfio/{number}"]
    return of_group + [f"/dev/vfio/devices/{name}" for name in sysfs.names(f"{folder}/vfio-dev")]
