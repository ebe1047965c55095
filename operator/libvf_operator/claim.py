"""ResourceClaims: the one a GpuPartition becomes, the one for /dev/kvm, and what an allocated one says. Pure."""

from typing import Any

from libvf_api import names

from libvf_operator.objects import Object, child

CLAIM_API = "resource.k8s.io/v1"
_DOMAIN = names.DRIVER
_ALTERNATIVES = 8  # FirstAvailableDeviceRequestMaxSize
_TOO_MANY = 33  # AllocationResultsMaxSize is 32


def for_partition(partition: Object) -> Object:
    """The claim of the partition's name: a card already cut in a fitting size first, any second.

    Where the partition allows it, a virtual GPU comes last; so kube-scheduler decides when no slice fits.
    """
    spec, name = partition["spec"], partition["metadata"]["name"]
    labels = {names.PARTITION_LABEL: name}
    if machine := partition["metadata"].get("labels", {}).get(names.MACHINE_LABEL):
        labels[names.MACHINE_LABEL] = machine
    claim = child(CLAIM_API, "ResourceClaim", name, partition, labels)
    claim["spec"] = {"devices": _several(spec) if spec.get("count", 1) > 1 else _one(spec)}
    return claim


def _one(spec: Object) -> Object:
    slices = [_alternative(spec, "open", _OPEN), _alternative(spec, "any")]
    return {"requests": [_request([*slices, *_fallback(spec, len(slices))])]}


def _several(spec: Object) -> Object:
    """All on one NUMA node where the cards say theirs; a constraint rejects cards that do not, so they come after."""
    near = [_alternative(spec, "open", _OPEN), _alternative(spec, "any")]
    unknown = [_alternative(spec, "open-anywhere", _OPEN, _NO_NUMA), _alternative(spec, "anywhere", _NO_NUMA)]
    together = {
        "matchAttribute": names.NUMA_ATTRIBUTE,
        "requests": [f"{names.GPU_REQUEST}/{alternative['name']}" for alternative in near],
    }
    slices = [*near, *unknown]
    return {"requests": [_request([*slices, *_fallback(spec, len(slices))])], "constraints": [together]}


def _fallback(spec: Object, before: int) -> list[Object]:
    """The virtual GPU, as far behind the slices as a list can be long: none where the partition does not allow it.

    The scheduler scores a node by the place of the alternative that it can have there, the first 8, the last 1, and
    weighs that against how full the nodes are: just behind the slices, an empty node without any would win over a full
    one that has one. So the places between are filled with what no node has: more devices than a claim may hold, which
    the allocator turns down before it looks at any.
    """
    if spec.get("fallback", "None") == "None":
        return []
    one = {"allocationMode": "ExactCount", "deviceClassName": names.VIRTUAL_GPU_CLASS}
    steps = [{"name": f"step-{n}", **one, "count": _TOO_MANY} for n in range(before, _ALTERNATIVES - 1)]
    return [*steps, {"name": names.VIRTUAL_GPU, **one, "count": 1}]


def fell_back(claim: Object | None) -> bool:
    """Whether it was given the virtual GPU."""
    return any(r["request"] == f"{names.GPU_REQUEST}/{names.VIRTUAL_GPU}" for r in results(claim))


def _request(alternatives: list[Object]) -> Object:
    return {"name": names.GPU_REQUEST, "firstAvailable": alternatives}


def _alternative(spec: Object, name: str, *more: str) -> Object:
    """One way to meet the request: the partition's own conditions and those of this alternative."""
    wanted = [*more, *selectors(spec)]
    count = {"allocationMode": "ExactCount", "count": spec.get("count", 1), "deviceClassName": names.GPU_CLASS}
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
    vram = f'device.capacity["{_DOMAIN}"].?vram.orValue(quantity("0"))'
    for bound, comparison in (("min", ">="), ("max", "<=")):
        if size := spec.get("vram", {}).get(bound):
            found.append(f'{vram}.compareTo(quantity("{size}")) {comparison} 0')
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
    reserved = ((claim or {}).get("status") or {}).get("reservedFor") or []
    return [entry["name"] for entry in reserved if entry.get("resource") == "pods"]


def prepared(claim: Object | None) -> tuple[bool, str]:
    """Whether the agent has made every allocated device, and its words if not."""
    told = [c for device in devices(claim) for c in device.get("conditions", []) if c["type"] == "Ready"]
    failed = [c for c in told if c["status"] != "True"]
    if failed:
        return False, f"{failed[0]['reason']}: {failed[0]['message']}"
    if results(claim) and len(told) >= len(results(claim)):
        return True, "every device is there"
    return False, "the host agent has not prepared the devices yet"


def _attribute(name: str, otherwise: str = '""') -> str:
    return f'device.attributes["{_DOMAIN}"].?{name}.orValue({otherwise})'


def _cel(expressions: list[str]) -> list[Object]:
    """One selector, what turns most devices down first: the scheduler converts a device anew for each that it reads."""
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


_OPEN = f"{_attribute('open', 'false')} == true"
_NO_NUMA = '!device.attributes["resource.kubernetes.io"].?numaNode.hasValue()'
