"""Claims on what a VM gets of its host beside GPUs and KVM: a tap of its Pod's network, functions of network cards, a
vsock, USB devices, and a cell where no GPU's claim has it. Pure."""

from collections.abc import Iterator, Mapping

from libvf_api import names

from libvf_operator import cell as cells
from libvf_operator import claim as claims
from libvf_operator import installation, nics, numa
from libvf_operator.claim import CLAIM_API
from libvf_operator.objects import Object, child


def for_machine(machine: Object) -> list[Object]:
    """One ResourceClaim for each, owned by the VM."""
    return [_claim(machine, name, request) for name, request in _wanted(machine)]


def names_of(machine: Object) -> list[str]:
    """The names of those claims."""
    return [claim["metadata"]["name"] for claim in for_machine(machine)]


def entries(machine: Object) -> list[Object]:
    """What the launcher is told of each: its kind, its name in the spec, its claim and the request in it."""
    meta = machine["metadata"]["name"]
    return [
        {"kind": request["name"], "name": name, "claim": f"{meta}-{name}", "request": request["name"]}
        for name, request in _wanted(machine)
    ]


def uses_tap(spec: Object) -> bool:
    """Whether the guest's card is on a tap of the Pod."""
    return (spec.get("network") or {}).get("mode") == "Tap"


def vsock_cid(machine: Object, seen: Mapping[str, Object]) -> int | None:
    """The number by which the node reaches the guest's vsock, as its agent says; `seen` are claims by name."""
    for device in claims.devices(seen.get(f"{machine['metadata']['name']}-vsock")):
        if cid := (device.get("data") or {}).get("vsockCid"):
            return int(cid)
    return None


def _wanted(machine: Object) -> Iterator[tuple[str, Object]]:
    """The name of each within the VM, and its request; each claim has one, called by its kind."""
    spec = machine["spec"]
    if uses_tap(spec):
        yield "tap", _request("tap", names.TAP_CLASS)
    for nic in spec.get("nics", []):
        yield nics.claim(nic), _request(names.NIC, names.NIC_CLASS, *nics.conditions(nic))
    if (spec.get("network") or {}).get("vsock"):
        yield "vsock", _request("vsock", names.VSOCK_CLASS)
    for one in spec.get("usb") or ():
        is_it = f'device.attributes["libvf.io"].?device.orValue("") == "{one["device"]}"'
        yield f"usb-{one['name']}", _request("usb", names.USB_CLASS, is_it)
    if numa.wants_cell(spec) and not numa.gpus(installation.spec_now(machine)):
        yield names.CELL, cells.request(numa.cell(spec))


def _request(kind: str, device_class: str, *conditions: str) -> Object:
    selectors = [{"cel": {"expression": condition}} for condition in conditions]
    exactly = {"deviceClassName": device_class, "allocationMode": "ExactCount", "count": 1}
    return {"name": kind, "exactly": {**exactly, **({"selectors": selectors} if selectors else {})}}


def _claim(machine: Object, name: str, request: Object) -> Object:
    vm = machine["metadata"]["name"]
    claim = child(CLAIM_API, "ResourceClaim", f"{vm}-{name}", machine, {names.MACHINE_LABEL: vm})
    claim["spec"] = {"devices": {"requests": [request], **nics.config(machine, name)}}
    return claim
