"""The launcher Pod of a VM: unprivileged, admitted under the restricted Pod Security Standard. Pure."""

import hashlib
import json
import math
from dataclasses import dataclass

from libvf_api import names
from libvf_api.quantity import to_bytes

from libvf_operator import claim as claims
from libvf_operator.objects import Object, child, deleting

MIB = 1 << 20
FIXED_OVERHEAD = 160 * MIB  # QEMU's own memory, the launcher's Python, slirp
DISPLAY_OVERHEAD = 16 * MIB
GRACE_SECONDS = 180
START_SECONDS = 600  # disks are copied and checked before QEMU runs; the launcher itself gives up on QEMU far earlier
HASH_ANNOTATION = "libvf.io/launch-hash"
RESTART_POLICY = {
    "Always": "Always",
    "RerunOnFailure": "OnFailure",
    "Once": "Never",
    "Manual": "Never",
    "Halted": "Never",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the installation decides for all launchers."""

    image: str
    priority_class: str = "libvf-machine"


def launch_document(machine: Object) -> Object:
    """What the launcher is told (docs/contracts.md); runStrategy is the operator's, so no restart is needed for it."""
    meta, spec = machine["metadata"], machine["spec"]
    kept = {key: value for key, value in spec.items() if key != "runStrategy"}
    return {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "uid": meta["uid"],
        "spec": kept,
        "gpus": [
            {"name": gpu["name"], "claim": partition_of(machine, gpu), "request": names.GPU_REQUEST}
            for gpu in _attached(spec)
        ],
        "kvm": {"claim": claims.kvm_name(machine), "request": names.KVM_REQUEST},
    }


def launch_hash(document: Object) -> str:
    """Equal documents, equal hashes."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def partition_of(machine: Object, gpu: Object) -> str:
    """The name of a gpu's partition, and so of its claim."""
    return str(gpu.get("partitionRef") or f"{machine['metadata']['name']}-{gpu['name']}")


def ended(pod: Object) -> bool:
    """Whether it has run to its end and gives its slices back."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed") and not deleting(pod)


def launcher(pod: Object) -> Object:
    """What kubelet says of the launcher container; empty before it says anything."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    return dict(statuses[0])


def outdated(pod: Object, machine: Object) -> bool:
    """Whether it was started with another launch document than the spec asks for now."""
    annotations = pod["metadata"].get("annotations") or {}
    return bool(annotations.get(HASH_ANNOTATION) != launch_hash(launch_document(machine)))


def memory_bytes(spec: Object) -> int:
    """Request and limit: the guest, a fixed part, 1/64 for page tables and dirty maps, and each display."""
    guest = to_bytes(spec["memory"]["size"])
    displays = max(1, len(spec.get("display", [])))
    return guest + FIXED_OVERHEAD + math.ceil(guest / 64) + DISPLAY_OVERHEAD * displays


def for_machine(machine: Object, settings: Settings) -> Object:
    """The Pod."""
    name, spec = machine["metadata"]["name"], machine["spec"]
    document = launch_document(machine)
    pod = child("v1", "Pod", name, machine, {names.MACHINE_LABEL: name})
    pod["metadata"]["annotations"] = {
        names.MACHINE_ANNOTATION: json.dumps(document, sort_keys=True),
        HASH_ANNOTATION: launch_hash(document),
    }
    pod["spec"] = {
        "restartPolicy": RESTART_POLICY[spec.get("runStrategy", "Always")],
        "terminationGracePeriodSeconds": spec.get("terminationGracePeriodSeconds", GRACE_SECONDS),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": settings.priority_class,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": names.QEMU_ID,
            "runAsGroup": names.QEMU_ID,
            "fsGroup": names.QEMU_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "resourceClaims": _claims(document),
        "containers": [_container(spec, document, settings)],
        "volumes": [*_OWN_VOLUMES, *(_volume(disk) for disk in _sources(spec))],
    }
    return pod


def _attached(spec: Object) -> list[Object]:
    """A VM whose graphics are disabled leaves its slices to others."""
    return [] if spec.get("graphics", {}).get("mode") == "Disabled" else list(spec.get("gpus", []))


def _claims(document: Object) -> list[Object]:
    gpus = [{"name": gpu["name"], "resourceClaimName": gpu["claim"]} for gpu in document["gpus"]]
    return [*gpus, {"name": "kvm", "resourceClaimName": document["kvm"]["claim"]}]


def _container(spec: Object, document: Object, settings: Settings) -> Object:
    memory = str(memory_bytes(spec))
    mounts = [{"name": volume["name"], **place} for volume, place in zip(_OWN_VOLUMES, _OWN_MOUNTS, strict=True)]
    return {
        "name": "launcher",
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            # a vCPU is seldom busy all the time: a tenth is kept for it, and no limit throttles it
            "requests": {"cpu": f"{100 * _cpus(spec)}m", "memory": memory},
            "limits": {"memory": memory},
            "claims": [{"name": claim["name"]} for claim in _claims(document)],
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # each probe is a process in the container: often while it starts, seldom while it runs
        "startupProbe": {**_READY, "periodSeconds": 2, "failureThreshold": START_SECONDS // 2},
        "readinessProbe": {**_READY, "periodSeconds": 15},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [*mounts, *(_mount(disk) for disk in _sources(spec))],
    }


def _cpus(spec: Object) -> int:
    cpu = spec.get("cpu", {})
    return int(cpu.get("cores", 1)) * int(cpu.get("sockets", 1)) * int(cpu.get("threads", 1))


_READY: Object = {"exec": {"command": ["test", "-f", "/run/libvf/ready"]}, "timeoutSeconds": 5}
_ANNOTATION = {"fieldPath": f"metadata.annotations['{names.MACHINE_ANNOTATION}']"}
_OWN_VOLUMES: list[Object] = [
    {"name": "libvf-machine", "downwardAPI": {"items": [{"path": "machine.json", "fieldRef": _ANNOTATION}]}},
    {"name": "libvf-run", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
    {"name": "libvf-state", "emptyDir": {}},
    {"name": "libvf-tmp", "emptyDir": {}},
]
_OWN_MOUNTS: list[Object] = [
    {"mountPath": "/etc/libvf", "readOnly": True},
    {"mountPath": "/run/libvf"},
    {"mountPath": "/var/lib/libvf"},
    {"mountPath": "/tmp"},
]


def _sources(spec: Object) -> list[Object]:
    """Disks and CD-ROMs that come from outside the Pod."""
    disks = [*spec.get("disks", []), *spec.get("cdroms", [])]
    return [disk for disk in disks if "size" not in disk]


def _volume(disk: Object) -> Object:
    name = f"disk-{disk['name']}"
    if image := disk.get("image"):
        source = {"reference": image["reference"], "pullPolicy": image.get("pullPolicy", "IfNotPresent")}
        return {"name": name, "image": source}
    if volume := disk.get("persistentVolumeClaim"):
        return {"name": name, "persistentVolumeClaim": {"claimName": volume["claimName"]}}
    return {"name": name, "hostPath": {"path": disk["hostPath"]["path"], "type": "File"}}


def _mount(disk: Object) -> Object:
    file = "/disk" if "hostPath" in disk else ""
    return {
        "name": f"disk-{disk['name']}",
        "mountPath": f"/volumes/{disk['name']}{file}",
        **({"readOnly": True} if "image" in disk else {}),
    }
