"""The claims that carry a VM's devices. Pure."""

from libvf_operator.objects import Object
from libvf_operator.parts import Part


def part(document: Object) -> Part:
    """Each GPU's claim, the one on /dev/kvm, and those on what else the VM gets of its host."""
    gpus = [{"name": gpu["name"], "resourceClaimName": gpu["claim"]} for gpu in document["gpus"]]
    others = [{"name": f"device-{one['name']}", "resourceClaimName": one["claim"]} for one in document["devices"]]
    return Part(claims=[*gpus, {"name": "kvm", "resourceClaimName": document["kvm"]["claim"]}, *others])
