"""ResourceClaims: the one a GpuPartition becomes, the one for /dev/kvm, and what an allocated one says. Pure."""

from collections.abc import Mapping
from typing import Any

from libvf_api import names
from libvf_api.quantity import of_bytes, to_bytes

from libvf_operator import cell as cells
from libvf_operator.objects import Object, child

CLAIM_API = "resource.k8s.io/v1"
_DOMAIN = names.DRIVER
_ALTERNATIVES = 8  # FirstAvailableDeviceRequestMaxSize
_TOO_MANY = 33  # AllocationResultsMaxSize is 32
_VRAM = f'device.capacity["{_DOMAIN}"].?vram.orValue(quantity("0"))'


def for_partition(partition: Object) -> Object:
    """The claim of the partition's name: a card already cut in the nearest size first, then any card, then any size.

    Where the partition allows it, a virtual GPU comes last; so kube-scheduler decides when no slice fits. The order is
    the one that seeded traces prefer (docs/packing.md).
    """
    spec, name = partition["spec"], partition["metadata"]["name"]
    labels = {names.PARTITION_LABEL: name}
    if machine := partition["metadata"].get("labels", {}).get(names.MACHINE_LABEL):
        labels[names.MACHINE_LABEL] = machine
    claim = child(CLAIM_API, "ResourceClaim", name, partition, labels)
    first, *others = _slices(spec)
    constraints = _constraints(spec)
    requests = [_request(_apart(first, others, _fallback(spec)))]
    if cell := spec.get("cell"):
        requests.append(cells.request(cell))
    claim["spec"] = {"devices": {"requests": requests, **({"constraints": constraints} if constraints else {})}}
    return claim


def _slices(spec: Object) -> list[Object]:
    """The alternatives in the order in which they are wanted: on one NUMA node before apart from the cell.

    Several slices are on one NUMA node where the cards say theirs; a constraint rejects cards that do not, so they come
    last, and not at all beside a cell that insists on its node.
    """
    cell, several = spec.get("cell"), spec.get("count", 1) > 1
    if cell is None and not several:
        return _one(spec)
    slices = _both(spec, "")
    if cell and cells.preferred(cell):
        slices += _both(spec, cells.APART)
    if several and (cell is None or cells.preferred(cell)):
        slices += [_open(spec, "open-anywhere", _NO_NUMA), _alternative(spec, "anywhere", _NO_NUMA)]
    return slices


def _one(spec: Object) -> list[Object]:
    near = _nearest(spec)
    nearest = [_alternative(spec, "near", *near)] if near else []
    return [_open(spec, "open", *near), *nearest, _alternative(spec, "any")]


def _nearest(spec: Object) -> list[str]:
    """Less than double of what is needed, where more would do as well: a card cut larger than that stays for others."""
    vram = spec.get("vram", {})
    least = to_bytes(vram.get("min", 0))
    if not least or ("max" in vram and to_bytes(vram["max"]) < 2 * least):
        return []
    return [f'{_VRAM}.compareTo(quantity("{of_bytes(2 * least)}")) < 0']


def _both(spec: Object, suffix: str) -> list[Object]:
    return [_open(spec, f"open{suffix}"), _alternative(spec, f"any{suffix}")]


def _constraints(spec: Object) -> list[Object]:
    cell, several = spec.get("cell"), spec.get("count", 1) > 1
    if cell is None:
        return [_together("")] if several else []
    apart = [_together(cells.APART)] if several and cells.preferred(cell) else []
    return [*cells.constraints(cell, ["open", "any"]), *apart]


def _together(suffix: str) -> Object:
    requests = [f"{names.GPU_REQUEST}/{name}{suffix}" for name in ("open", "any")]
    return {"matchAttribute": names.NUMA_ATTRIBUTE, "requests": requests}


def _apart(first: Object, others: list[Object], last: list[Object]) -> list[Object]:
    """All alternatives, with as much room between them as a list can have: none behind the others without a `last`.

    The scheduler scores a node by the place of the alternative that it can have there, the first 8, the last 1, and
    weighs that against how full the nodes are: just behind an open card, an empty card on an empty node would win over
    the open one on a full node, and a virtual GPU there over a slice. So the places between are filled with what no
    node has: more devices than a claim may hold, which the allocator turns down before it looks at any.
    """
    room = _ALTERNATIVES - 1 - len(others) - len(last)
    before = room if not last else room // 2
    return [first, *_steps(1, before), *others, *_steps(1 + before, room - before), *last]


def _steps(number: int, count: int) -> list[Object]:
    one = {"allocationMode": "ExactCount", "deviceClassName": names.VIRTUAL_GPU_CLASS, "count": _TOO_MANY}
    return [{"name": f"step-{n}", **one} for n in range(number, number + count)]


def _fallback(spec: Object) -> list[Object]:
    """The virtual GPU, which is the last way; none where the partition does not allow it."""
    if spec.get("fallback", "None") == "None":
        return []
    one = {"allocationMode": "ExactCount", "deviceClassName": names.VIRTUAL_GPU_CLASS, "count": 1}
    return [{"name": names.VIRTUAL_GPU, **one}]


def fell_back(claim: Object | None) -> bool:
    """Whether it was given the virtual GPU."""
    return any(r["request"] == f"{names.GPU_REQUEST}/{names.VIRTUAL_GPU}" for r in results(claim))


def _request(alternatives: list[Object]) -> Object:
    return {"name": names.GPU_REQUEST, "firstAvailable": alternatives}


def _open(spec: Object, name: str, *more: str) -> Object:
    """On a card that is cut already: the class says so, which turns most devices down before a selector reads them."""
    return _alternative(spec, name, *more, device_class=names.OPEN_CLASS)


def _alternative(spec: Object, name: str, *more: str, device_class: str = names.GPU_CLASS) -> Object:
    """One way to meet the request: the partition's own conditions and those of this alternative."""
    wanted = [*more, *selectors(spec)]
    count = {"allocationMode": "ExactCount", "count": spec.get("count", 1), "deviceClassName": device_class}
    return {"name": name, **count, **({"selectors": _cel(wanted)} if wanted else {})}


def kvm_name(machine: Object) -> str:
    """The name of a VM's claim on /dev/kvm."""
    return f"{machine['metadata']['name']}-kvm"


def for_kvm(machine: Object) -> Object:
    """The claim on /dev/kvm; Preferred takes a node without hardware virtualization where no other is left."""
    required = machine["spec"].get("cpu", {}).get("acceleration", "Required") == "Required"
    hardware = _cel([f"{_attribute('accelerated', 'false')} == true"])
    exact = {"deviceClassName": names.KVM_CLASS, "allocationMode": "ExactCount", "count": 1}
    request: dict[str, Any] = {"name": names.KVM_REQUEST}
    if required:
        request["exactly"] = {**exact, "selectors": hardware}
    else:
        request["firstAvailable"] = [
            {"name": "hardware", **exact, "selectors": hardware},
            {"name": "emulated", **exact},
        ]
    claim = child(
        CLAIM_API, "ResourceClaim", kvm_name(machine), machine, {names.MACHINE_LABEL: machine["metadata"]["name"]}
    )
    claim["spec"] = {"devices": {"requests": [request]}}
    return claim


def selectors(spec: Object) -> list[str]:
    """CEL expressions for what a partition asks; each read is guarded, as a missing attribute is an error."""
    found = []
    if kind := spec.get("type"):
        found.append(_matches(_attribute("type"), kind))
    for field, attribute in (("mode", "mode"), ("vendor", "vendor"), ("device", "device")):
        if value := spec.get(field):
            found.append(f'{_attribute(attribute)} == "{value}"')
    if spec.get("vram"):  # what has no video memory, such as a serial port, would meet "at most"
        found.append(f'device.capacity["{_DOMAIN}"].?vram.hasValue()')
    for bound, comparison in (("min", ">="), ("max", "<=")):
        if size := spec.get("vram", {}).get(bound):
            found.append(f'{_VRAM}.compareTo(quantity("{size}")) {comparison} 0')
    return found


def results(claim: Object | None) -> list[Object]:
    """The allocated devices."""
    allocation = ((claim or {}).get("status") or {}).get("allocation") or {}
    return list((allocation.get("devices") or {}).get("results") or [])


def devices(claim: Object | None) -> list[Object]:
    """What the agent says of the allocated devices of ours."""
    listed = ((claim or {}).get("status") or {}).get("devices") or []
    return [device for device in listed if device["driver"] == names.DRIVER]


def node(claim: Object | None) -> str | None:
    """The node of the allocation."""
    allocation = ((claim or {}).get("status") or {}).get("allocation") or {}
    for term in (allocation.get("nodeSelector") or {}).get("nodeSelectorTerms") or []:
        for field in term.get("matchFields") or []:
            if field["key"] == "metadata.name":
                return str(field["values"][0])
    return None


def consumers(claim: Object | None) -> list[str]:
    """Names of the Pods that hold it."""
    return [entry["name"] for entry in _reserved(claim) if entry.get("resource") == "pods"]


def chosen_node(pod: Object, own: Mapping[str, Object]) -> str:
    """The node on which all claims of a Pod are kept for it; empty where one is not yet.

    The scheduler writes so before it binds the Pod, whose conditions tell of an earlier attempt until then.
    """
    asked = [own.get(entry.get("resourceClaimName", "")) for entry in pod["spec"].get("resourceClaims") or ()]
    if not all(pod["metadata"]["uid"] in (entry["uid"] for entry in _reserved(claim)) for claim in asked):
        return ""  # by its UID: a Pod of the same name may have had them before
    return next((found for claim in asked if (found := node(claim))), "")


def prepared(claim: Object | None) -> tuple[bool, str]:
    """Whether the agent has made every allocated device, and its words if not."""
    told = [c for device in devices(claim) for c in device.get("conditions", []) if c["type"] == "Ready"]
    failed = [c for c in told if c["status"] != "True"]
    if failed:
        return False, f"{failed[0]['reason']}: {failed[0]['message']}"
    if results(claim) and len(told) >= len(results(claim)):
        return True, "every device is there"
    return False, "the host agent has not prepared the devices yet"


def _reserved(claim: Object | None) -> list[Object]:
    """Who holds it (ResourceClaimConsumerReference)."""
    reserved: list[Object] = ((claim or {}).get("status") or {}).get("reservedFor") or []
    return reserved


def _attribute(name: str, otherwise: str = '""') -> str:
    return f'device.attributes["{_DOMAIN}"].?{name}.orValue({otherwise})'


def _cel(expressions: list[str]) -> list[Object]:
    """One selector: the scheduler converts a device anew for each that it reads."""
    return [{"cel": {"expression": " && ".join(expressions)}}]


def _matches(text: str, glob: str) -> str:
    """A glob as plain string tests: the API server reckons a regular expression too costly for a selector."""
    first, *rest = glob.split("*")
    if not rest:
        return f'{text} == "{glob}"'
    *middle, last = rest
    tests = [f'{text}.startsWith("{first}")'] if first else []
    tests += [f'{text}.contains("{part}")' for part in middle if part]
    tests += [f'{text}.endsWith("{last}")'] if last else []
    return " && ".join(tests) or f'{text} != ""'


_NO_NUMA = '!device.attributes["resource.kubernetes.io"].?numaNode.hasValue()'
