"""Folders shared with the guest: their volumes, and where the launcher finds them. Pure."""

from libvf_operator.objects import Object
from libvf_operator.parts import Part


def part(spec: Object) -> Part:
    """A volume and a mount for each; kubelet too refuses to write to what is readOnly."""
    found = spec.get("filesystems", [])
    return Part(volumes=[_volume(folder) for folder in found], mounts=[_mount(folder) for folder in found])


def _volume(folder: Object) -> Object:
    name = f"fs-{folder['name']}"
    if volume := folder.get("persistentVolumeClaim"):
        return {"name": name, "persistentVolumeClaim": {"claimName": volume["claimName"]}}
    return {"name": name, "hostPath": {"path": folder["hostPath"]["path"], "type": "Directory"}}


def _mount(folder: Object) -> Object:
    read_only = {"readOnly": True} if folder.get("readOnly") else {}
    return {"name": f"fs-{folder['name']}", "mountPath": f"/filesystems/{folder['name']}", **read_only}
