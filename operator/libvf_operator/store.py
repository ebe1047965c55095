"""What the operator knows: the last seen state of every object it works with, and whom a change concerns."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from libvf_api import names

from libvf_operator import claim as claims
from libvf_operator import pod as pods
from libvf_operator.machine import Observed
from libvf_operator.objects import Key, Object, condition, deleting, key, owned_by

# kind -> API path of its list over all namespaces
KINDS = {
    "VirtualMachine": f"/apis/{names.API_VERSION}/{names.MACHINES}",
    "GpuPartition": f"/apis/{names.API_VERSION}/{names.PARTITIONS}",
    "ResourceClaim": "/apis/resource.k8s.io/v1/resourceclaims",
    "Pod": f"/api/v1/pods?labelSelector={names.MANAGED_BY}%3D{names.MANAGER}",
    "Node": "/api/v1/nodes",
}
Work = tuple[str, Key]


@dataclass(slots=True)
class Store:
    """Objects by kind and key."""

    objects: dict[str, dict[Key, Object]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def replace(self, kind: str, things: list[Object]) -> set[Work]:
        """Take a whole list, which also tells what vanished unseen; returns whom it concerns."""
        before = set(self.objects[kind])
        self.objects[kind] = {key(thing): thing for thing in things}
        return {work for gone in before | set(self.objects[kind]) for work in self._concerned(kind, gone)}

    def put(self, kind: str, thing: Object, deleted: bool) -> set[Work]:
        """Take one change; returns whom it concerns."""
        place = key(thing)
        work = set(self._concerned(kind, place))
        if deleted:
            self.objects[kind].pop(place, None)
        else:
            self.objects[kind][place] = thing
        return work | set(self._concerned(kind, place))

    def get(self, kind: str, place: Key) -> Object | None:
        """One object, or None."""
        return self.objects[kind].get(place)

    def observed(self, machine: Object, waiting: str = "") -> Observed:
        """A VM's surroundings."""
        namespace, name = key(machine)
        used = {pods.partition_of(machine, gpu) for gpu in machine["spec"].get("gpus", [])}
        own = {k[1]: p for k, p in self._in("GpuPartition", namespace) if owned_by(p, machine) or k[1] in used}
        wanted = {*own, *used, f"{name}-kvm"}
        pod = self.get("Pod", (namespace, name))
        node = self.get("Node", ("", (pod or {}).get("spec", {}).get("nodeName") or ""))
        return Observed(
            pod=pod,
            partitions=own,
            claims={k[1]: c for k, c in self._in("ResourceClaim", namespace) if k[1] in wanted},
            rivals=dict(self._rivals(machine, used)),
            node_ready=node is None or condition(node, "Ready").get("status") in (None, "True"),
            waiting=waiting,
        )

    def consumer(self, partition: Object, claim: Object | None) -> str | None:
        """Who uses a partition: one of our VMs whose Pod names it, else the Pod that holds the claim."""
        namespace, name = key(partition)
        for (_, pod_name), pod in self._in("Pod", namespace):
            if name in _claim_names(pod) and not _ended(pod):
                return f"VirtualMachine/{pod_name}"
        return next((f"Pod/{pod}" for pod in claims.consumers(claim)), None)

    def _rivals(self, machine: Object, used: set[str]) -> Iterator[tuple[str, str]]:
        """Partitions that another VM has first: one whose Pod lives, else the older of the two."""
        namespace, name = key(machine)
        for (_, other), pod in self._in("Pod", namespace):
            if other != name and not _ended(pod):
                yield from ((partition, other) for partition in used & _claim_names(pod))

    def _concerned(self, kind: str, place: Key) -> Iterator[Work]:
        """Whose reconciliation a change of this object may alter."""
        thing = self.get(kind, place)
        namespace, name = place
        if kind in ("VirtualMachine", "GpuPartition"):
            yield kind, place
        labels = (thing or {}).get("metadata", {}).get("labels") or {}
        if machine := labels.get(names.MACHINE_LABEL):
            yield "VirtualMachine", (namespace, machine)
        if kind == "ResourceClaim" and self.get("GpuPartition", place):
            yield "GpuPartition", place
        if kind == "Pod":
            yield from (("GpuPartition", (namespace, claim)) for claim in _claim_names(thing or {}))
        if kind == "Node":
            yield from (
                ("VirtualMachine", where)
                for where, pod in self.objects["Pod"].items()
                if pod["spec"].get("nodeName") == name
            )
        if kind != "VirtualMachine":
            yield from self._users(namespace, name)

    def _users(self, namespace: str, partition: str) -> Iterator[Work]:
        for place, machine in self._in("VirtualMachine", namespace):
            if any(gpu.get("partitionRef") == partition for gpu in machine["spec"].get("gpus", [])):
                yield "VirtualMachine", place

    def _in(self, kind: str, namespace: str) -> list[tuple[Key, Object]]:
        return [(place, thing) for place, thing in self.objects[kind].items() if place[0] == namespace]


def _claim_names(pod: Object) -> set[str]:
    listed = (pod.get("spec") or {}).get("resourceClaims") or []
    return {claim["resourceClaimName"] for claim in listed if "resourceClaimName" in claim}


def _ended(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed") and not deleting(pod)
