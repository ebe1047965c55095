"""The launcher Pod of a VM: unprivileged, admitted under the restricted Pod Security Standard. Pure."""

import hashlib
import json
from dataclasses import dataclass

from libvf_api import names

from libvf_operator import claim as claims
from libvf_operator import device_claims, installation, neighbours, numa
from libvf_operator.objects import Object, child, condition, deleting
from libvf_operator.parts import (
    Part,
    devices,
    disks,
    guesttools,
    memory,
    network,
    secrets,
    sharedmemory,
    sharing,
    state,
)
from libvf_operator.parts import launcher as own

GRACE_SECONDS = 180
START_SECONDS = 600  # while nobody listens; a launcher that makes disks lets each probe wait, and so has hours
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
    """What the installation decides for all launchers; of how many virtual CPUs one is asked of the node."""

    image: str
    priority_class: str = "libvf-machine"
    cpu_allocation_ratio: int = 10


def launch_document(machine: Object) -> Object:
    """What the launcher is told (docs/contracts.md): what it is not told takes effect without a restart."""
    meta, spec = machine["metadata"], installation.spec_now(machine)
    return {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "uid": meta["uid"],
        "spec": _told(spec),
        "gpus": [
            {"name": gpu["name"], "claim": partition_of(machine, gpu), "request": names.GPU_REQUEST}
            for gpu in attached(machine)
        ],
        "kvm": {"claim": claims.kvm_name(machine), "request": names.KVM_REQUEST},
        "devices": device_claims.entries(machine),
    }


def _told(spec: Object) -> Object:
    """The spec without what is the operator's: the run strategy, and the Service.

    On a tap every port of the guest is forwarded, so which of them the Service carries is not the launcher's either.
    """
    kept = {key: value for key, value in spec.items() if key not in ("runStrategy", "ports", "network")}
    network = {key: value for key, value in (spec.get("network") or {}).items() if key != "serviceType"}
    ports = [{key: value for key, value in port.items() if key != "servicePort"} for port in spec.get("ports", [])]
    if network:
        kept["network"] = network
    if ports and not device_claims.uses_tap(spec):
        kept["ports"] = ports
    return kept


def launch_hash(document: Object) -> str:
    """Equal documents, equal hashes."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def partition_of(machine: Object, gpu: Object) -> str:
    """The name of a gpu's partition, and so of its claim."""
    return str(gpu.get("partitionRef") or f"{machine['metadata']['name']}-{gpu['name']}")


def attached(machine: Object) -> list[Object]:
    """The GPUs that it has when it runs: one whose graphics are disabled, or that installs, leaves them to others."""
    return numa.gpus(installation.spec_now(machine))


def restart_policy(machine: Object) -> str:
    """What kubelet does when the launcher ends."""
    strategy = machine["spec"].get("runStrategy", "Always")
    other = installation.RESTART_POLICY if installation.due(machine) else {}
    return other.get(strategy, RESTART_POLICY[strategy])


def ended(pod: Object) -> bool:
    """Whether it has run to its end and gives its slices back."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed") and not deleting(pod)


def launcher(pod: Object) -> Object:
    """What kubelet says of the launcher container; empty before it says anything."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    return dict(statuses[0])


def stands_still(pod: Object) -> bool:
    """Whether its guest has run in this container and does not now.

    Kubelet sets `started` when the guest has run once, and Ready some moments later; what stood still after it ran fell
    from Ready after the container began. So nobody need remember who paused it, nor that it was resumed.
    """
    own = launcher(pod)
    began = ((own.get("state") or {}).get("running") or {}).get("startedAt", "")
    fell = condition(pod, "Ready")
    stood = fell.get("status") == "False" and fell.get("lastTransitionTime", "") > began
    return bool(own.get("started") and began and stood and not own.get("ready"))


def unconfirmed(pod: Object) -> bool:
    """Whether its node was lost and its kubelet has said nothing of it since.

    The node controller then takes Ready from the Pod, and from none of its containers (MarkPodsNotReady of Kubernetes'
    controller/util/node); kubelet always writes both.
    """
    own = launcher(pod)
    runs = "running" in (own.get("state") or {})
    return bool(runs and own.get("ready") and condition(pod, "Ready").get("status") == "False")


def outdated(pod: Object, machine: Object) -> bool:
    """Whether it was started with another launch document than the spec asks for now."""
    annotations = pod["metadata"].get("annotations") or {}
    return bool(annotations.get(HASH_ANNOTATION) != launch_hash(launch_document(machine)))


def restart_requested(thing: Object) -> str | None:
    """The restart that a VM asks for, or that a Pod was made for."""
    return (thing["metadata"].get("annotations") or {}).get(names.RESTART_REQUESTED)


def parts(spec: Object, document: Object) -> list[Part]:
    """All that this VM's Pod is put together from."""
    told = [secrets.part(spec), guesttools.part(spec)]
    own_parts = [own.part(), memory.part(spec), sharedmemory.part(spec), devices.part(document)]
    return [*own_parts, disks.part(spec), state.part(document), sharing.part(spec), network.part(spec), *told]


def for_machine(machine: Object, settings: Settings) -> Object:
    """The Pod."""
    name, document = machine["metadata"]["name"], launch_document(machine)
    spec = document["spec"]
    made = parts(spec, document)
    alike = neighbours.labels(attached(machine))
    pod = child("v1", "Pod", name, machine, {names.MACHINE_LABEL: name, **alike})
    pod["metadata"]["annotations"] = {
        names.MACHINE_ANNOTATION: json.dumps(document, sort_keys=True),
        HASH_ANNOTATION: launch_hash(document),
    }
    sysctls = [sysctl for part in made for sysctl in part.sysctls]
    if asked := restart_requested(machine):
        pod["metadata"]["annotations"][names.RESTART_REQUESTED] = asked
    pod["spec"] = {
        "restartPolicy": restart_policy(machine),
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
            **({"sysctls": sysctls} if sysctls else {}),
        },
        "resourceClaims": [claim for part in made for claim in part.claims],
        "containers": [_container(spec, made, settings)],
        "volumes": [volume for part in made for volume in part.volumes],
    }
    if affinity := neighbours.affinity(attached(machine)):
        pod["spec"]["affinity"] = affinity
    return pod


def _container(spec: Object, made: list[Part], settings: Settings) -> Object:
    claims = [{"name": claim["name"]} for part in made for claim in part.claims]
    limits = {"memory": str(sum(part.memory for part in made))}
    limits |= {name: amount for part in made for name, amount in part.limits.items()}
    ports = [port for part in made for port in part.ports]
    return {
        "name": "launcher",
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": _cpu(spec, settings), **limits},
            "limits": limits,
            "claims": claims,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # asked at once, it would find nobody there yet
        "startupProbe": {**_RUNS, "initialDelaySeconds": 1, "periodSeconds": 1, "failureThreshold": START_SECONDS},
        "readinessProbe": {**_RUNS, "periodSeconds": 5, "failureThreshold": 1},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [mount for part in made for mount in part.mounts],
        **({"ports": ports} if ports else {}),
    }


def _cpu(spec: Object, settings: Settings) -> str:
    """What is kept for it; no limit throttles it.

    A vCPU is seldom busy all the time, so a part of a CPU is kept for it; one that has a CPU of a cell keeps all of
    that, in the scheduler's own ledger too, and QEMU's other threads are reckoned beside it.
    """
    if numa.wants_cell(spec):
        return f"{1000 * numa.cpus(spec) + numa.EMULATOR_MILLICPUS}m"
    return f"{max(1, 1000 * numa.cpus(spec) // settings.cpu_allocation_ratio)}m"


# by HTTP, as a probe by exec is a process that the runtime puts into the container: the launcher's readiness.py
_RUNS: Object = {"httpGet": {"path": "/", "port": names.READINESS_PORT}, "timeoutSeconds": 20}
