"""The folder that the CD of guest tools is made from. Pure."""

from libvf_operator.objects import Object
from libvf_operator.parts import Part

FOLDER = "/media/guest-tools"


def part(spec: Object) -> Part:
    """A volume and a mount, read-only, where the spec names a folder."""
    source = _source(enabled(spec) or {})
    if source is None:
        return Part()
    mount = {"name": "guest-tools", "mountPath": FOLDER, "readOnly": True}
    return Part(volumes=[{"name": "guest-tools", **source}], mounts=[mount])


def enabled(spec: Object) -> Object | None:
    """What the spec says of guest tools, unless they are switched off."""
    tools: Object | None = spec.get("guestTools")
    return tools if tools and tools.get("enabled", True) else None


def _source(tools: Object) -> Object | None:
    if image := tools.get("image"):
        policy = image.get("pullPolicy", "IfNotPresent")
        return {"image": {"reference": image["reference"], "pullPolicy": policy}}
    if claim := tools.get("persistentVolumeClaim"):
        return {"persistentVolumeClaim": {"claimName": claim["claimName"]}}
    if folder := tools.get("hostPath"):
        return {"hostPath": {"path": folder["path"], "type": "Directory"}}
    return None
