"""What the operator knows: the last seen state of every object it works with, and whom a change concerns.

Everything is found by index, never by a walk over all objects, so that the cost of one look does not grow with
the number of machines.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from libvf_api import names

from libvf_operator import claim as claims
from libvf_operator import device_claims, volume
from libvf_operator import pod as pods
from libvf_operator.allocated import Allocated
from libvf_operator.listing import Item
from libvf_operator.machine import Observed
from libvf_operator.objects import Key, Object, condition, key, labels, launched
from libvf_operator.shelf import Shelf, version

# kind -> API path of its list over all namespaces
KINDS = {
    "VirtualMachine": f"/apis/{names.API_VERSION}/{names.MACHINES}",
    "GpuPartition": f"/apis/{names.API_VERSION}/{names.PARTITIONS}",
    "GpuPolicy": f"/apis/{names.API_VERSION}/{names.POLICIES}",
    "ResourceClaim": "/apis/resource.k8s.io/v1/resourceclaims",
    "Pod": f"/api/v1/pods?labelSelector={names.MANAGED_BY}%3D{names.MANAGER}",
    "Service": f"/api/v1/services?labelSelector={names.MANAGED_BY}%3D{names.MANAGER}",
    "PersistentVolumeClaim": "/api/v1/persistentvolumeclaims",
    "Node": "/api/v1/nodes",
}
_API_VERSIONS = {kind: "/".join(path.partition("?")[0].split("/")[2:-1]) for kind, path in KINDS.items()}
Work = tuple[str, Key]
Term = tuple[str, str, str]  # what is indexed, namespace, name


@dataclass(slots=True)
class Store:
    """Objects by kind and key, never going back to an older version of one."""

    shelves: dict[str, Shelf] = field(default_factory=lambda: {kind: Shelf() for kind in KINDS})
    allocated: Allocated = field(default_factory=Allocated)
    _index: dict[Term, set[Key]] = field(default_factory=lambda: defaultdict(set))
    _gone: dict[Work, int] = field(default_factory=dict)

    def listed(self, kind: str, item: Item) -> set[Work]:
        """Take one object of a list; what is known in that version is not even unpacked."""
        if item.version == self.shelves[kind].version(item.place) > 0:
            return set()
        return self.put(kind, item.document(kind, _API_VERSIONS[kind]))

    def forget_others(self, kind: str, places: set[Key], at: int) -> set[Work]:
        """Forget what a whole list of that resource version does not have, as it vanished unseen; returns whom it
        concerns. What came while the list was on its way is newer, and stays.
        """
        shelf = self.shelves[kind]
        gone = [place for place in shelf.places() if place not in places and shelf.version(place) <= at]
        vanished = [thing for place in gone if (thing := shelf.get(place))]
        work = {item for old in vanished for item in self.put(kind, old, deleted=True)}
        self._gone = {work: then for work, then in self._gone.items() if then > at}
        return work

    def put(self, kind: str, thing: Object, deleted: bool = False) -> set[Work]:
        """Take one change; returns whom it concerns: nobody where it is older than what is known, or the same."""
        place, shelf, now = key(thing), self.shelves[kind], version(thing)
        known = shelf.version(place)
        if not deleted and (now < max(known, self._gone.get((kind, place), 0)) or now == known > 0):
            return set()
        before = shelf.get(place)
        work = set(self._concerned(kind, place, before))
        self._index_anew(kind, place, before, None if deleted else thing)
        if deleted:
            shelf.remove(place)
            self._gone[kind, place] = now
        else:
            shelf.put(place, thing)
        if kind == "Node" and before and not deleted and _answers(before) == _answers(thing):
            return set()  # its kubelet says so again and again
        return work | set(self._concerned(kind, place, None if deleted else thing))

    def get(self, kind: str, place: Key) -> Object | None:
        """One object, or None."""
        return self.shelves[kind].get(place)

    def observed(self, machine: Object) -> Observed:
        """A VM's surroundings."""
        namespace, name = key(machine)
        used = {pods.partition_of(machine, gpu) for gpu in machine["spec"].get("gpus", [])}
        made = {found for _, found in self._found("partition of machine", namespace, name)}
        own = {claims.kvm_name(machine), *device_claims.names_of(machine)}
        disks = list(volume.used_now(machine))
        on = {use.claim for use in disks}
        pod = self.get("Pod", (namespace, name))
        node = self.get("Node", ("", (pod or {}).get("spec", {}).get("nodeName") or ""))
        return Observed(
            pod=pod,
            partitions=self._named("GpuPartition", namespace, used | made),
            claims=self._named("ResourceClaim", namespace, used | made | own),
            others=self._others(namespace, [("Service", name), *((volume.KIND, claim) for claim in on)]),
            rivals={partition: rival for partition in used if (rival := self._rival(machine, partition))},
            taken={use.what: holder for use in disks if (holder := self._holder(machine, use))},
            node_ready=node is None or _answers(node),
        )

    def user(self, claim: str) -> str | None:
        """Who uses a claim, by its namespace/name."""
        namespace, _, name = claim.partition("/")
        return next(self._consumers((namespace, name)), None)

    def consumer(self, partition: Object) -> str | None:
        """Who uses a partition: one of our VMs whose Pod names it, else the Pod that holds the claim."""
        return next(self._consumers(key(partition)), None)

    def verdict(self, partition: Object) -> str:
        """What the scheduler said when it could not place the Pod of a partition's VM; empty where it has not."""
        place = key(partition)
        if claims.results(self.get("ResourceClaim", place)):
            return ""
        pods_of = (self.get("Pod", pod) for pod in sorted(self._found("claim of pod", *place)))
        told = (condition(pod, "PodScheduled") for pod in pods_of)
        return next((c.get("message") or "no reason given" for c in told if c.get("status") == "False"), "")

    def _consumers(self, partition: Key) -> Iterator[str]:
        ours = {name for _, name in self._found("claim of pod", *partition)}
        yield from (f"VirtualMachine/{name}" for name in sorted(ours))
        holders = claims.consumers(self.get("ResourceClaim", partition))
        yield from (f"Pod/{name}" for name in holders if name not in ours)

    def _rival(self, machine: Object, partition: str) -> str | None:
        """Who has a partition before this VM: a VM whose Pod lives, or any Pod that holds its claim."""
        namespace, name = key(machine)
        others = self._consumers((namespace, partition))
        return next((other for other in others if other not in (f"VirtualMachine/{name}", f"Pod/{name}")), None)

    def _holder(self, machine: Object, use: volume.Use) -> str | None:
        """Who keeps this VM from a file of a claim: a VM whose Pod lives and that writes to it, or that reads what this
        one would write.
        """
        namespace, name = key(machine)
        held = self._found("writer of file", namespace, use.place)
        if use.writes:
            held = held | self._found("reader of file", namespace, use.place)
        return next((f"VirtualMachine/{other}" for _, other in sorted(held) if other != name), None)

    def _concerned(self, kind: str, place: Key, thing: Object | None) -> Iterator[Work]:
        """Whose reconciliation a change of this object may alter."""
        namespace, name = place
        if kind == "GpuPolicy":  # one more or less on a card may be another one's gain
            yield from ((kind, other) for other in self.shelves[kind].places())
            return
        if kind in ("VirtualMachine", "GpuPartition"):
            yield kind, place
        if kind == "Node":
            yield from (("VirtualMachine", pod) for pod in self._found("pod on node", "", name))
            return
        if machine := labels(thing).get(names.MACHINE_LABEL):
            yield "VirtualMachine", (namespace, machine)
        volumes = {use.claim for use in _uses(thing)} if kind == "Pod" else {name} if kind == volume.KIND else set()
        for claim in volumes:
            yield from (("VirtualMachine", user) for user in self._found("user of volume", namespace, claim))
        if kind == volume.KIND:
            return
        touched = _claim_names(thing) if kind == "Pod" else {name} if kind != "VirtualMachine" else set()
        for partition in touched:
            if kind != "GpuPartition" and self.shelves["GpuPartition"].has((namespace, partition)):
                yield "GpuPartition", (namespace, partition)
            yield from (("VirtualMachine", user) for user in self._found("user of partition", namespace, partition))

    def _index_anew(self, kind: str, place: Key, before: Object | None, now: Object | None) -> None:
        for term in _terms(kind, before):
            self._index[term].discard(place)
            if not self._index[term]:
                del self._index[term]
        for term in _terms(kind, now):
            self._index[term].add(place)
        if kind == "ResourceClaim":
            self.allocated.change(before, now)

    def _others(self, namespace: str, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], Object]:
        found = {(kind, name): self.get(kind, (namespace, name)) for kind, name in wanted}
        return {place: thing for place, thing in found.items() if thing}

    def _found(self, what: str, namespace: str, name: str) -> set[Key]:
        return self._index.get((what, namespace, name), set())

    def _named(self, kind: str, namespace: str, wanted: set[str]) -> dict[str, Object]:
        found = {name: self.get(kind, (namespace, name)) for name in sorted(wanted)}
        return {name: thing for name, thing in found.items() if thing}


def _terms(kind: str, thing: Object | None) -> Iterator[Term]:
    """Under what an object is found."""
    if thing is None:
        return
    namespace, _ = key(thing)
    if kind == "VirtualMachine":
        for gpu in thing["spec"].get("gpus", []):
            yield "user of partition", namespace, pods.partition_of(thing, gpu)
        for use in volume.uses(thing["metadata"]["name"], thing["spec"]):
            yield "user of volume", namespace, use.claim
    if kind == "GpuPartition" and (machine := labels(thing).get(names.MACHINE_LABEL)):
        yield "partition of machine", namespace, machine
    if kind == "Pod":
        yield "pod on node", "", thing["spec"].get("nodeName") or ""
        if not pods.ended(thing):
            for claim in _claim_names(thing):
                yield "claim of pod", namespace, claim
            for use in _uses(thing):
                yield f"{'writer' if use.writes else 'reader'} of file", namespace, use.place


def _claim_names(pod: Object | None) -> set[str]:
    listed = ((pod or {}).get("spec") or {}).get("resourceClaims") or []
    return {claim["resourceClaimName"] for claim in listed if "resourceClaimName" in claim}


def _uses(pod: Object | None) -> list[volume.Use]:
    """What a Pod of ours does with files of claims, by what it was started with."""
    document = launched(pod)
    return list(volume.uses(document["name"], document["spec"])) if document else []


def _answers(node: Object) -> bool:
    """Whether a node is Ready; one that was never said to be anything counts as ready."""
    return condition(node, "Ready").get("status") in (None, "True")
