"""A VirtualMachine: which children it needs now. Pure; what its status says is in `machine_status`."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from libvf_api import names
from libvf_api.quantity import to_bytes

from libvf_operator import alignment, device_claims, installation, volume
from libvf_operator import claim as claims
from libvf_operator import partition as partitions
from libvf_operator import pod as pods
from libvf_operator import service as services
from libvf_operator.block import Block
from libvf_operator.objects import Object, condition, deleting, owned_by


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was seen of a VM's surroundings.

    `others` are children of further kinds, by kind and name; `rivals` maps a partition's name to who has it first, as
    VirtualMachine/<name> or Pod/<name>, `taken` likewise a disk or the state by what it is (volume.Use.what);
    `waiting` says why an unscheduled Pod waits; `refused` is what the API server said when a child was made last;
    `fallback` says why it has a virtual GPU, and whether a slice is free by now.
    """

    pod: Object | None = None
    partitions: dict[str, Object] = field(default_factory=dict)
    claims: dict[str, Object] = field(default_factory=dict)
    others: dict[tuple[str, str], Object] = field(default_factory=dict)
    rivals: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    node_ready: bool = True
    waiting: str = ""
    refused: str = ""
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Desired:
    """What to create, what to delete, and what to change of children that may change."""

    create: list[Object]
    delete: list[Object]
    change: list[Object] = field(default_factory=list)


def desired(machine: Object, seen: Observed, settings: pods.Settings) -> Desired:
    """The children for this spec in this situation; the same input gives the same answer."""
    pod, runs = seen.pod, wanted(machine, seen.pod)
    if pod and not owned_by(pod, machine):
        return Desired([], [])
    children = _children(machine, runs)
    missing = [child for child in children if not _found(seen, child)]
    changed, unwanted = _service(machine, seen)
    if pod:
        ends = not deleting(pod) and (not runs or _to_be_replaced(machine, pod))
        return Desired(missing, [*([pod] if ends else []), *unwanted], changed)
    stale = [*_stale(machine, seen, children), *unwanted]
    if not runs or stale or missing or blocked(machine, seen):
        return Desired(missing, stale, changed)
    return Desired([pods.for_machine(machine, settings)], [], changed)


def wanted(machine: Object, pod: Object | None) -> bool:
    """Whether the VM shall run, by its run strategy and by what became of it."""
    strategy = machine["spec"].get("runStrategy", "Always")
    if strategy == "Halted":
        return False
    if strategy == "Manual":
        annotations = machine["metadata"].get("annotations") or {}
        return bool(annotations.get(names.REQUESTED_STATE) == "Running")
    if strategy in ("Once", "RerunOnFailure") and pod is None:
        return not completed(machine) or restart_due(machine, None)
    return True


def restart_due(machine: Object, pod: Object | None) -> bool:
    """Whether a restart was asked for that no Pod was made for yet.

    The Pod carries the request that it was made for, so that it is carried out once, whatever any clock says; without a
    Pod the status has the one that the last Pod carried.
    """
    asked = pods.restart_requested(machine)
    carried_out = pods.restart_requested(pod) if pod else (machine.get("status") or {}).get("lastRestart")
    return asked is not None and asked != carried_out


def completed(machine: Object) -> bool:
    """Whether it ran to an end after which its strategy does not start it again; Halted in between forgets it."""
    ends = {"Once": ("Completed", "PodFailed"), "RerunOnFailure": ("Completed",)}
    strategy = machine["spec"].get("runStrategy", "Always")
    return condition(machine, "GuestRunning").get("reason") in ends.get(strategy, ())


def blocked(machine: Object, seen: Observed) -> Block | None:
    """Why no Pod may be made now, or None."""
    for gpu in pods.attached(machine):
        if block := _blocked_gpu(machine, gpu, seen):
            return block
    if words := alignment.lacking(machine, seen.partitions):
        return Block("CellMismatch", words)
    if block := volume.blocked(machine, seen.others, seen.taken):
        return block
    for name in (claims.kvm_name(machine), *device_claims.names_of(machine)):
        if block := _blocked_claim(seen.claims.get(name), name, machine):
            return block
    service = seen.others.get((services.KIND, machine["metadata"]["name"]))
    if machine["spec"].get("ports") and service and not owned_by(service, machine):
        name = machine["metadata"]["name"]
        return Block("NotOurs", f"Service {name} was made by somebody else: delete it, or rename the machine")
    return None


def _blocked_gpu(machine: Object, gpu: Object, seen: Observed) -> Block | None:
    name = pods.partition_of(machine, gpu)
    if rival := seen.rivals.get(name):
        cure = "stop that one, or use another"
        return Block("PartitionInUse", f"GpuPartition {name} is already in use by {rival}: {cure}")
    partition = seen.partitions.get(name)
    if partition is None:
        if "partitionRef" in gpu:
            cure = "create it, or use a template"
            return Block("PartitionMissing", f"there is no GpuPartition {name} in this namespace: {cure}")
        return Block("PreparingClaims", f"waiting for GpuPartition {name}", stalled=False)
    if "partitionRef" not in gpu and not owned_by(partition, machine):
        cure = "name it by partitionRef, or rename one of the two"
        return Block("NotOurs", f"GpuPartition {name} was made by somebody else: {cure}")
    return _blocked_claim(seen.claims.get(name), name, partition)


def _blocked_claim(claim: Object | None, name: str, owner: Object) -> Block | None:
    if claim is None or deleting(claim):
        return Block("PreparingClaims", f"waiting for ResourceClaim {name}", stalled=False)
    if not owned_by(claim, owner):
        return Block("NotOurs", f"ResourceClaim {name} was made by somebody else: delete or rename it")
    return None


def _children(machine: Object, runs: bool) -> list[Object]:
    """All but the Pod. Partitions are kept while the machine is halted, as a request that costs nothing; so is what
    outlives the Pod.
    """
    templates = (gpu for gpu in machine["spec"].get("gpus", []) if "partitionRef" not in gpu)
    while_it_runs = [claims.for_kvm(machine), *device_claims.for_machine(machine)] if runs else []
    service = services.for_machine(machine)
    state = volume.for_state(machine)
    return [
        *(partitions.for_gpu(machine, gpu) for gpu in templates),
        *([state] if state else []),
        *while_it_runs,
        *([service] if service else []),
    ]


def _service(machine: Object, seen: Observed) -> tuple[list[Object], list[Object]]:
    """What to change of the VM's Service, and the Service itself where no port is left."""
    wanted, there = services.for_machine(machine), seen.others.get((services.KIND, machine["metadata"]["name"]))
    change = services.change(wanted, there, machine)
    unwanted = there if wanted is None and there and owned_by(there, machine) and not deleting(there) else None
    return [change] if change else [], [unwanted] if unwanted else []


def _found(seen: Observed, child: Object) -> Object | None:
    kind, name = child["kind"], child["metadata"]["name"]
    by_kind = {"GpuPartition": seen.partitions, "ResourceClaim": seen.claims}
    return by_kind[kind].get(name) if kind in by_kind else seen.others.get((kind, name))


def _stale(machine: Object, seen: Observed, children: list[Object]) -> Iterator[Object]:
    """Children of ours that are not as the spec asks now: they are immutable, so they are made anew."""
    specs = {(child["kind"], child["metadata"]["name"]): child["spec"] for child in children}
    for kind, things in (("GpuPartition", seen.partitions), ("ResourceClaim", seen.claims)):
        for name, thing in things.items():
            if owned_by(thing, machine) and not deleting(thing) and not _as_asked(specs.get((kind, name)), thing):
                yield thing


def _as_asked(spec: Object | None, thing: Object) -> bool:
    """Whether a child still serves; the API server fills in defaults of a claim, so the shape of its request counts."""
    if thing["kind"] == "GpuPartition" or spec is None:
        return bool(spec == thing["spec"])
    return _asked(spec) == _asked(thing["spec"])


def _asked(spec: Object) -> tuple[bool, Object | None, Object, Object | None]:
    """What tells one of our claims from another of its name: exactly one device or the first of several, of what, and
    how much of one that many share.

    None of the rest is ever chosen, and the API server fills some of it in; it writes amounts in its own way.
    """
    devices = spec["devices"]
    request = devices["requests"][0]
    first = request.get("exactly") or request["firstAvailable"][0]
    amounts = {name: to_bytes(much) for name, much in (first.get("capacity") or {}).get("requests", {}).items()}
    return "exactly" in request, (request.get("exactly") or {}).get("selectors"), amounts, devices.get("config")


def _to_be_replaced(machine: Object, pod: Object) -> bool:
    """A Pod whose restart is asked for, that has ended but should not, or that has an older spec and runs no guest."""
    if done := installation.carried_out(pod):
        return pods.ended(pod) and (machine.get("status") or {}).get("installed") == done
    if restart_due(machine, pod):
        return True
    if pods.ended(pod) and installation.installs(pod) and not installation.failure_told(machine):
        return False  # with the Pod goes what it says of its end
    if (pod.get("status") or {}).get("phase") == "Failed" or (pods.ended(pod) and installation.installs(pod)):
        return machine["spec"].get("runStrategy", "Always") in ("Always", "RerunOnFailure")
    running = "running" in (pods.launcher(pod).get("state") or {})
    return not running and not pods.ended(pod) and pods.outdated(pod, machine)
