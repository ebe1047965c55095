"""A GpuPartition's own status, mirrored from its claim. Pure."""

from libvf_api import names
from libvf_api.quantity import of_bytes

from libvf_operator import cell as cells
from libvf_operator import claim as claims
from libvf_operator import numa
from libvf_operator.objects import Object, child, owned_by
from libvf_operator.status import Conditions

FIELDS = ("parent", "type", "mode", "numaNode", "mdevUUID", "pciAddress", "iommuGroup")


def for_gpu(machine: Object, gpu: Object) -> Object:
    """The partition that a VM's template becomes."""
    name = machine["metadata"]["name"]
    labels = {names.MACHINE_LABEL: name}
    partition = child(names.API_VERSION, "GpuPartition", f"{name}-{gpu['name']}", machine, labels)
    fallback = machine["spec"].get("graphics", {}).get("fallback", "None")
    partition["spec"] = {
        **{key: value for key, value in gpu.items() if key not in ("name", "partitionRef")},
        **({"fallback": fallback} if fallback != "None" else {}),
        **({"cell": numa.cell(machine["spec"])} if numa.wants_cell(machine["spec"]) else {}),
    }
    return partition


def status(partition: Object, claim: Object | None, consumer: str | None, waiting: str) -> Object:
    """The whole status; `waiting` says why it is not allocated although somebody wants it."""
    foreign = claim is not None and not owned_by(claim, partition)
    own = None if foreign else claim
    conditions = Conditions(partition)
    if foreign:
        _tell_foreign(partition, conditions)
    elif consumer:
        _tell_consumed(own, waiting, conditions)
    else:
        _tell_waiting(own, conditions)
    body: Object = {
        "observedGeneration": partition["metadata"]["generation"],
        "claimName": partition["metadata"]["name"],
        "devices": [_device(device) for device in claims.devices(own) if not cells.is_part_of_one(device)],
        "conditions": conditions.listed(),
    }
    optional = {"node": claims.node(own), "consumer": consumer, "cell": numa.told(cells.of(claims.devices(own)))}
    return {**body, **{key: value for key, value in optional.items() if value}}


def _tell_foreign(partition: Object, conditions: Conditions) -> None:
    name = partition["metadata"]["name"]
    words = f"ResourceClaim {name} is not this partition's own: it is waited for; delete it, or rename the partition"
    for kind in ("Ready", "Allocated", "Prepared"):
        conditions.set(kind, False, "NotOurs", words)


def _tell_waiting(claim: Object | None, conditions: Conditions) -> None:
    reason = "WaitingForConsumer"
    allocated = bool(claims.results(claim))
    conditions.set("Allocated", allocated, "Allocated" if allocated else reason, "no Pod uses it")
    conditions.set("Prepared", False, reason, "no Pod uses it")
    conditions.set("Ready", False, reason, "bound when a Pod uses its ResourceClaim")


def _tell_consumed(claim: Object | None, waiting: str, conditions: Conditions) -> None:
    allocated = bool(claims.results(claim))
    prepared, words = claims.prepared(claim)
    pending = "Unschedulable" if waiting else "Scheduling"
    conditions.set("Allocated", allocated, "Allocated" if allocated else pending, "" if allocated else waiting)
    if prepared and claims.fell_back(claim):
        words = "no slice could be had: its consumer has a virtual GPU"
    conditions.set("Prepared", prepared, "Prepared" if prepared else "NotPrepared", words)
    ready = "Fallback" if claims.fell_back(claim) else "Ready"
    reason = ready if prepared else "Preparing" if allocated else pending
    conditions.set("Ready", prepared, reason, words if allocated else waiting)


def _device(device: Object) -> Object:
    data = device.get("data") or {}
    vram = {"vram": of_bytes(int(data["vram"]))} if "vram" in data else {}
    return {"name": device["device"], **{key: data[key] for key in FIELDS if key in data}, **vram}
