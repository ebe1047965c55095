"""What every launcher has: its launch document, and places to write to on a read-only root. Pure."""

from libvf_api import names

from libvf_operator.objects import Object
from libvf_operator.parts import Part


def part() -> Part:
    """Volumes and mounts of the launcher's own."""
    mounts = [{"name": volume["name"], **place} for volume, place in zip(_VOLUMES, _MOUNTS, strict=True)]
    return Part(volumes=_VOLUMES, mounts=mounts)


_ANNOTATION = {"fieldPath": f"metadata.annotations['{names.MACHINE_ANNOTATION}']"}
_VOLUMES: list[Object] = [
    {"name": "libvf-machine", "downwardAPI": {"items": [{"path": "machine.json", "fieldRef": _ANNOTATION}]}},
    {"name": "libvf-run", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
    {"name": "libvf-state", "emptyDir": {}},
    {"name": "libvf-tmp", "emptyDir": {}},
]
_MOUNTS: list[Object] = [
    {"mountPath": "/etc/libvf", "readOnly": True},
    {"mountPath": "/run/libvf"},
    {"mountPath": "/var/lib/libvf"},
    {"mountPath": "/tmp"},
]
