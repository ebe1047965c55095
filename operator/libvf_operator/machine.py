"""A VirtualMachine: which children it needs now, and what its status is. Pure."""

import json
from dataclasses import dataclass, field

from libvf_api import names
from libvf_api.termination import parse

from libvf_operator import claim as claims
from libvf_operator import partition as partitions
from libvf_operator import pod as pods
from libvf_operator.objects import Object, condition, deleting, owned_by
from libvf_operator.status import Conditions

_IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was seen of a VM's surroundings.

    `rivals` maps a partition's name to another VM that has it first, `waiting` says why an unscheduled Pod waits.
    """

    pod: Object | None = None
    partitions: dict[str, Object] = field(default_factory=dict)
    claims: dict[str, Object] = field(default_factory=dict)
    rivals: dict[str, str] = field(default_factory=dict)
    node_ready: bool = True
    waiting: str = ""


@dataclass(frozen=True, slots=True)
class Desired:
    """What to apply and what to delete, in this order."""

    apply: list[Object]
    delete: list[Object]


def desired(machine: Object, seen: Observed, settings: pods.Settings) -> Desired:
    """The children for this spec in this situation; the same input gives the same answer."""
    pod, runs = seen.pod, wanted(machine, seen.pod)
    if pod and not owned_by(pod, machine):
        return Desired([], [])
    delete = [pod] if pod and not deleting(pod) and (not runs or _failed_for_good(machine, pod)) else []
    wanted_partitions = [
        partitions.for_gpu(machine, gpu) for gpu in machine["spec"].get("gpus", []) if "partitionRef" not in gpu
    ]
    kvm = claims.for_kvm(machine)
    if pod:
        return Desired([], delete)  # children of a live Pod stay as they are; a changed spec takes effect after it
    stale = [*_stale_partitions(machine, seen, wanted_partitions), *_stale_claim(machine, seen, kvm)]
    missing = [p for p in wanted_partitions if p["metadata"]["name"] not in seen.partitions]
    if not runs:
        return Desired(missing, stale)
    if kvm["metadata"]["name"] not in seen.claims:
        missing.append(kvm)
    if stale or missing or blocked(machine, seen):
        return Desired(missing, stale)
    return Desired([pods.for_machine(machine, settings)], [])


def wanted(machine: Object, pod: Object | None) -> bool:
    """Whether the VM shall run, by its run strategy and by what became of it."""
    strategy = machine["spec"].get("runStrategy", "Always")
    if strategy == "Halted":
        return False
    if strategy == "Manual":
        annotations = machine["metadata"].get("annotations") or {}
        return bool(annotations.get(names.REQUESTED_STATE) == "Running")
    if strategy in ("Once", "RerunOnFailure") and pod is None:
        return not _completed(machine)
    return True


def blocked(machine: Object, seen: Observed) -> tuple[str, str] | None:
    """Reason and message why no Pod may be made now, or None."""
    for gpu in machine["spec"].get("gpus", []):
        name = pods.partition_of(machine, gpu)
        if rival := seen.rivals.get(name):
            return (
                "PartitionInUse",
                f"GpuPartition {name} is already VirtualMachine {rival}'s: stop that one, or use another",
            )
        if name not in seen.partitions and "partitionRef" in gpu:
            return (
                "PartitionMissing",
                f"there is no GpuPartition {name} in this namespace: create it, or use a template",
            )
        if name not in seen.claims:
            return "PreparingClaims", f"waiting for the ResourceClaim of GpuPartition {name}"
    return None


def status(machine: Object, seen: Observed) -> Object:
    """The whole status."""
    conditions = Conditions(machine)
    _tell(machine, seen, conditions)
    found = {c["type"]: c for c in conditions.listed()}
    own = [(gpu["name"], pods.partition_of(machine, gpu)) for gpu in machine["spec"].get("gpus", [])]
    devices = [d.get("data") or {} for _, name in own for d in claims.devices(seen.claims.get(name))]
    body: Object = {
        "observedGeneration": machine["metadata"]["generation"],
        "ready": found["Ready"]["status"] == "True",
        "partitions": [{"gpu": gpu, "name": name} for gpu, name in own],
        "conditions": conditions.listed(),
    }
    optional = {
        "node": (seen.pod or {}).get("spec", {}).get("nodeName"),
        "podName": seen.pod["metadata"]["name"] if seen.pod else None,
        "gpu": ", ".join(f"{data['type']} on {data['parent']}" for data in devices if "type" in data),
        "guest": _guest(seen.pod),
        "displays": [{"type": d, "socket": f"/run/libvf/{d}.sock"} for d in machine["spec"].get("display", [])],
    }
    return {**body, **{key: value for key, value in optional.items() if value}}


def _tell(machine: Object, seen: Observed, conditions: Conditions) -> None:
    pod = seen.pod
    reason, message, running = _summary(machine, seen)
    scheduled = condition(pod, "PodScheduled").get("status") == "True"
    conditions.set("Scheduled", scheduled, "Scheduled" if scheduled else reason, seen.waiting if pod else message)
    _tell_devices(machine, seen, conditions, pod is not None)
    conditions.set("GuestRunning", running, reason, message)
    conditions.set("Ready", running, reason, message)
    stalled = reason in _STALLED or reason in _IMAGE_REASONS
    conditions.set("Stalled", stalled, reason if stalled else "Progressing", message if stalled else "")
    moving = not running and not stalled and reason not in ("Halted", "Completed")
    conditions.set("Reconciling", moving, reason if moving else "Settled", message if moving else "")
    changed = _changes(machine, pod) if pod else []
    words = f"restart the machine to apply: {', '.join(changed)}" if changed else ""
    conditions.set("RestartRequired", bool(changed), "SpecChanged" if changed else "UpToDate", words)


_STALLED = ("PartitionInUse", "PartitionMissing", "Unschedulable", "NodeLost", "GuestFailed", "NotOurs", "PodFailed")


def _tell_devices(machine: Object, seen: Observed, conditions: Conditions, live: bool) -> None:
    name = machine["metadata"]["name"]
    told = [claims.prepared(seen.claims.get(pods.partition_of(machine, g))) for g in machine["spec"].get("gpus", [])]
    failed = [words for good, words in told if not good]
    good = live and not failed
    conditions.set("GpuPrepared", good, "Prepared" if good else "NotPrepared", failed[0] if failed else "")
    kvm = claims.devices(seen.claims.get(f"{name}-kvm"))
    if not live or not kvm:
        conditions.set("HardwareAccelerated", None, "NotPrepared", "known when the machine has a node")
        return
    real = bool((kvm[0].get("data") or {}).get("accelerated"))
    words = "" if real else "the node has no KVM: the guest is emulated, which is slow"
    conditions.set("HardwareAccelerated", real, "Kvm" if real else "Emulated", words)


def _summary(machine: Object, seen: Observed) -> tuple[str, str, bool]:
    """Reason, message, and whether the guest runs."""
    pod = seen.pod
    if pod is None:
        return _without_pod(machine, seen)
    if not owned_by(pod, machine):
        return "NotOurs", f"a Pod {pod['metadata']['name']} of somebody else has the machine's name: rename one", False
    if not seen.node_ready:
        return "NodeLost", _node_lost(pod), False
    if deleting(pod):
        return "Stopping", "the guest is shutting down", False
    if condition(pod, "PodScheduled").get("status") != "True":
        return "Unschedulable", seen.waiting or "waiting for the scheduler", False
    return _on_node(machine, pod)


def _without_pod(machine: Object, seen: Observed) -> tuple[str, str, bool]:
    if not wanted(machine, None):
        if _completed(machine):
            return "Completed", condition(machine, "GuestRunning").get("message", ""), False
        return "Halted", "its slices and node are given back until it is started", False
    if stop := blocked(machine, seen):
        return *stop, False
    return "Starting", "the launcher Pod is being made", False


def _on_node(machine: Object, pod: Object) -> tuple[str, str, bool]:
    state = pod.get("status") or {}
    if condition(pod, "Ready").get("status") == "True":
        return "Running", "QEMU says that the guest runs", True
    launcher = (state.get("containerStatuses") or [{}])[0]
    waiting = (launcher.get("state") or {}).get("waiting") or {}
    if waiting.get("reason") in _IMAGE_REASONS:
        return (
            waiting["reason"],
            f"{waiting.get('message', '')}: check the image's name and that the node can pull it",
            False,
        )
    if state.get("phase") == "Succeeded":
        return "Completed", _end(launcher.get("state")) or "the guest ended", False
    if state.get("phase") == "Failed":
        return "PodFailed", _end(launcher.get("state")) or f"{state.get('reason')}: {state.get('message')}", False
    if last := _end(launcher.get("lastState")):
        return "GuestFailed" if waiting else "Restarting", last, False
    if waiting.get("reason") not in (None, "ContainerCreating"):
        return "GuestFailed", f"{waiting['reason']}: {waiting.get('message', '')}", False
    return "Starting", "the devices are being prepared and the guest is starting", False


def _end(state: Object | None) -> str:
    """The words of a launcher that has ended."""
    ended = (state or {}).get("terminated")
    if not ended:
        return ""
    told = parse(ended.get("message") or "")
    if told:
        return f"{told.reason}: {told.message}"
    return (
        f"the launcher ended with {ended.get('exitCode')} ({ended.get('reason')}): {ended.get('message') or 'no words'}"
    )


def _node_lost(pod: Object) -> str:
    node = pod["spec"].get("nodeName")
    return (
        f"node {node} does not answer, so the guest may still run there and is not started elsewhere; when the node is "
        f"surely off: kubectl taint node {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
    )


def _guest(pod: Object | None) -> Object | None:
    launcher = (((pod or {}).get("status") or {}).get("containerStatuses") or [{}])[0]
    running = (launcher.get("state") or {}).get("running") or {}
    if not running:
        return None
    return {"startedAt": running["startedAt"], "restarts": launcher.get("restartCount", 0)}


def _completed(machine: Object) -> bool:
    """Whether it ran to its end since the spec last changed."""
    done = condition(machine, "GuestRunning")
    same = done.get("observedGeneration") == machine["metadata"].get("generation")
    return bool(done.get("reason") == "Completed" and same)


def _failed_for_good(machine: Object, pod: Object) -> bool:
    """A Pod that kubelet has given up (evicted, refused) is made anew where the VM shall keep running."""
    phase = (pod.get("status") or {}).get("phase")
    strategy = machine["spec"].get("runStrategy", "Always")
    return bool(phase == "Failed" and strategy in ("Always", "RerunOnFailure"))


def _changes(machine: Object, pod: Object) -> list[str]:
    """Fields of the spec that differ from what the Pod was started with."""
    started = json.loads(pod["metadata"].get("annotations", {}).get(names.MACHINE_ANNOTATION, "{}")).get("spec", {})
    now = pods.launch_document(machine)["spec"]
    return [f"spec.{key}" for key in sorted({*started, *now}) if started.get(key) != now.get(key)]


def _stale_partitions(machine: Object, seen: Observed, expected: list[Object]) -> list[Object]:
    """Partitions of ours whose template changed or went: a partition is immutable, so it is made anew."""
    specs = {p["metadata"]["name"]: p["spec"] for p in expected}
    own = [p for p in seen.partitions.values() if owned_by(p, machine)]
    return [p for p in own if p["spec"] != specs.get(p["metadata"]["name"]) and not deleting(p)]


def _stale_claim(machine: Object, seen: Observed, kvm: Object) -> list[Object]:
    found = seen.claims.get(kvm["metadata"]["name"])
    if not found or not owned_by(found, machine) or deleting(found):
        return []
    hardware = "exactly" in found["spec"]["devices"]["requests"][0]
    return [found] if hardware != ("exactly" in kvm["spec"]["devices"]["requests"][0]) else []
