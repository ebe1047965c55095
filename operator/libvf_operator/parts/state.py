"""The volume of spec.state, which outlives the Pod: its mount. Pure."""

from libvf_operator import volume
from libvf_operator.objects import Object
from libvf_operator.parts import Part


def part(document: Object) -> Part:
    """Nothing where the VM keeps nothing."""
    claim = volume.state_claim(document["name"], document["spec"])
    if claim is None:
        return Part()
    return Part(
        volumes=[{"name": "libvf-keep", "persistentVolumeClaim": {"claimName": claim}}],
        mounts=[{"name": "libvf-keep", "mountPath": "/var/lib/libvf-keep"}],
    )
