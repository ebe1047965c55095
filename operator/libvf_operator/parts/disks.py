"""Disks and CD-ROMs that come from outside the Pod: their volumes and mounts. Pure."""

from libvf_operator.objects import Object
from libvf_operator.parts import Part


def part(spec: Object) -> Part:
    """A volume and a mount for each."""
    found = _sources(spec)
    return Part(volumes=[_volume(disk) for disk in found], mounts=[_mount(disk) for disk in found])


def _sources(spec: Object) -> list[Object]:
    disks = [*spec.get("disks", []), *spec.get("cdroms", [])]
    return [disk for disk in disks if "size" not in disk]


def _volume(disk: Object) -> Object:
    name = f"disk-{disk['name']}"
    if image := disk.get("image"):
        source = {"reference": image["reference"], "pullPolicy": image.get("pullPolicy", "IfNotPresent")}
        return {"name": name, "image": source}
    if volume := disk.get("persistentVolumeClaim"):
        return {"name": name, "persistentVolumeClaim": {"claimName": volume["claimName"]}}
    return {"name": name, "hostPath": {"path": disk["hostPath"]["path"], "type": "File"}}


def _mount(disk: Object) -> Object:
    file = "/disk" if "hostPath" in disk else ""
    return {
        "name": f"disk-{disk['name']}",
        "mountPath": f"/volumes/{disk['name']}{file}",
        **({"readOnly": True} if "image" in disk else {}),
    }
