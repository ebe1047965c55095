"""Memory that the guest shares with who looks and listens: a folder of its own, counted as the Pod's. Pure."""

from libvf_api import names, screens

from libvf_operator.objects import Object
from libvf_operator.parts import Part


def part(spec: Object) -> Part:
    """A folder in memory of just that size; the one that containers come with holds 64 MiB."""
    size = 0
    if "lookingGlass" in spec.get("display", []):
        size += screens.looking_glass_bytes(spec.get("lookingGlass", {}).get("resolution"))
    if spec.get("audio") == "scream":
        size += screens.SCREAM_BYTES
    if not size:
        return Part()
    volume = {"name": "libvf-shared", "emptyDir": {"medium": "Memory", "sizeLimit": str(size)}}
    mount = {"name": "libvf-shared", "mountPath": names.SHARED_MEMORY_FOLDER}
    return Part(volumes=[volume], mounts=[mount], memory=size)
