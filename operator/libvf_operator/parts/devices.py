"""The claims that carry a VM's devices. Pure."""

from libvf_operator.objects import Object
from libvf_operator.parts import Part


def part(document: Object) -> Part:
    """Each GPU's claim, and the one on /dev/kvm."""
    gpus = [{"name": gpu["name"], "resourceClaimName": gpu["claim"]} for gpu in document["gpus"]]
    return Part(claims=[*gpus, {"name": "kvm", "resourceClaimName": document["kvm"]["claim"]}])
