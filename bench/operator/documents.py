"""What is declared, and what scheduler, agent and kubelet would say of it. Pure."""

import time
from typing import Any

from libvf_api.names import API_VERSION, DRIVER, KVM_REQUEST

Json = dict[str, Any]

MACHINES_A_NODE = 40
OBJECTS_A_MACHINE = 5  # VirtualMachine, GpuPartition, two ResourceClaims, Pod
HEARTBEAT_SECONDS = 300  # kubelet writes a Node's status that often when nothing changes


def machine(number: int) -> Json:
    """One as users write it: a slice by its size, a disk, a screen."""
    spec = {
        "cpu": {"cores": 2, "acceleration": "Required"},
        "memory": {"size": "1Gi"},
        "gpus": [{"name": "gpu0", "vram": {"min": "1Gi", "max": "4Gi"}}],
        "disks": [{"name": "root", "image": {"reference": "libvf.io/demo-guest:dev"}}],
        "display": ["vnc"],
    }
    meta = {"name": name(number), "namespace": "default"}
    return {"apiVersion": API_VERSION, "kind": "VirtualMachine", "metadata": meta, "spec": spec}


def name(number: int) -> str:
    """The name of the machine of this number."""
    return f"m{number:05}"


def node_of(machine_name: str) -> str:
    """Where it is put: so many on each."""
    return f"node-{int(machine_name[1:6]) // MACHINES_A_NODE:04}"


def node(node_name: str) -> Json:
    """One that is only an object."""
    meta = {"name": node_name, "labels": {"kubernetes.io/hostname": node_name}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta}


def node_status() -> Json:
    """What its kubelet says of it every five minutes: the same, with another time."""
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "as it should be"}
    stamps = {"lastHeartbeatTime": _now(), "lastTransitionTime": "2026-01-01T00:00:00Z"}
    amounts = {"cpu": "128", "memory": "1Ti", "pods": "500"}
    return {"capacity": amounts, "allocatable": amounts, "conditions": [{**ready, **stamps}]}


def allocated(claim: Json, pod: Json) -> Json:
    """The status of a claim that the scheduler has allocated for a Pod, and the agent has prepared.

    A claim without the Pod that it is reserved for gets it from a controller later, at twenty claims a second.
    """
    machine_name = claim["metadata"]["labels"]["libvf.io/machine"]
    host = node_of(machine_name)
    [request] = claim["spec"]["devices"]["requests"]
    kvm = request["name"] == KVM_REQUEST
    chosen = request.get("firstAvailable")
    result = {
        "request": f"{request['name']}/{chosen[0]['name']}" if chosen else request["name"],
        "driver": DRIVER,
        "pool": f"{host}-kvm" if kvm else f"{host}-0000-65-00-0",
        "device": "kvm" if kvm else f"701-{machine_name[1:]}",
    }
    field = {"key": "metadata.name", "operator": "In", "values": [host]}
    return {
        "allocation": {
            "devices": {"results": [result]},
            "nodeSelector": {"nodeSelectorTerms": [{"matchFields": [field]}]},
        },
        "reservedFor": [{"resource": "pods", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}],
        "devices": [_prepared(result, {"accelerated": True} if kvm else _SLICE)],
    }


def running(pod: Json) -> Json:
    """The status of a Pod whose guest runs."""
    now = _now()
    kinds = ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
    [container] = pod["spec"]["containers"]
    return {
        "phase": "Running",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in kinds],
        "hostIP": "10.0.0.1",
        "podIP": "10.1.0.1",
        "podIPs": [{"ip": "10.1.0.1"}],
        "startTime": now,
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "sha256:0",
                "containerID": "containerd://0",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": now}},
            }
        ],
    }


_SLICE = {
    "kind": "gpu",
    "type": "nvidia-701",
    "vendor": "nvidia",
    "parent": "0000:65:00.0",
    "mode": "Mediated",
    "mdevUUID": "00000000-0000-0000-0000-000000000000",
    "iommuGroup": 17,
    "vram": 1 << 30,
}


def _prepared(result: Json, facts: Json) -> Json:
    condition = {"type": "Ready", "status": "True", "reason": "Carved", "message": "the device is there"}
    place = {key: result[key] for key in ("driver", "pool", "device")}
    return {**place, "conditions": [{**condition, "lastTransitionTime": _now()}], "data": facts}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
