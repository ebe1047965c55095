"""A GpuPartition's own status, mirrored from its claim. Pure."""

from libvf_api import names
from libvf_api.quantity import of_bytes

from libvf_operator import claim as claims
from libvf_operator.objects import Object, child
from libvf_operator.status import Conditions

FIELDS = ("parent", "type", "mode", "numaNode", "mdevUUID", "pciAddress", "iommuGroup")


def for_gpu(machine: Object, gpu: Object) -> Object:
    """The partition that a VM's template becomes."""
    name = machine["metadata"]["name"]
    labels = {names.MACHINE_LABEL: name}
    partition = child(names.API_VERSION, "GpuPartition", f"{name}-{gpu['name']}", machine, labels)
    partition["spec"] = {key: value for key, value in gpu.items() if key not in ("name", "partitionRef")}
    return partition


def status(partition: Object, claim: Object | None, consumer: str | None, waiting: str) -> Object:
    """The whole status; `waiting` says why it is not allocated although somebody wants it."""
    conditions = Conditions(partition)
    allocated = bool(claims.results(claim))
    prepared, words = claims.prepared(claim)
    if not consumer:
        conditions.set("Ready", False, "WaitingForConsumer", "bound when a Pod uses its ResourceClaim")
        conditions.set("Allocated", allocated, "Allocated" if allocated else "WaitingForConsumer", "no Pod uses it")
        conditions.set("Prepared", False, "WaitingForConsumer", "no Pod uses it")
    else:
        conditions.set("Allocated", allocated, "Allocated" if allocated else "Unschedulable", waiting)
        conditions.set("Prepared", prepared, "Prepared" if prepared else "NotPrepared", words)
        reason = "Ready" if prepared else "Preparing" if allocated else "Unschedulable"
        conditions.set("Ready", prepared, reason, words if allocated else waiting)
    body: Object = {
        "observedGeneration": partition["metadata"]["generation"],
        "claimName": partition["metadata"]["name"],
        "devices": [_device(device) for device in claims.devices(claim)],
        "conditions": conditions.listed(),
    }
    optional = {"node": claims.node(claim), "consumer": consumer}
    return {**body, **{key: value for key, value in optional.items() if value}}


def _device(device: Object) -> Object:
    data = device.get("data") or {}
    vram = {"vram": of_bytes(int(data["vram"]))} if "vram" in data else {}
    return {"name": device["device"], **{key: data[key] for key in FIELDS if key in data}, **vram}
