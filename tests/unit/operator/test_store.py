"""What the operator remembers, and whom a change concerns."""

from typing import Any

import msgspec
from libvf_api import names
from libvf_operator import listing
from libvf_operator.listing import Item
from libvf_operator.objects import key
from libvf_operator.store import Store, Work

from tests.unit.operator.test_machine import vm


def at(version: int, thing: dict[str, Any]) -> dict[str, Any]:
    return {**thing, "metadata": {**thing["metadata"], "resourceVersion": str(version)}}


def item(thing: dict[str, Any]) -> Item:
    """As a list has it: without kind and apiVersion."""
    listed = {name: value for name, value in thing.items() if name not in ("kind", "apiVersion")}
    text = msgspec.json.encode({"metadata": {"resourceVersion": "9"}, "items": [listed]})
    return listing.page(text).items[0]


def swept(store: Store, version: int, *things: dict[str, Any]) -> set[Work]:
    """A whole list of machines, of that version."""
    work = {work for thing in things for work in store.listed("VirtualMachine", item(thing))}
    return work | store.forget_others("VirtualMachine", {key(thing) for thing in things}, version)


def pod(name: str, *claims: str, node: str = "", **status: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "lab", "uid": f"pod-{name}", "labels": {names.MACHINE_LABEL: name}}
    listed = [{"name": claim, "resourceClaimName": claim} for claim in claims]
    spec = {"resourceClaims": listed, **({"nodeName": node} if node else {})}
    return {"kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def partition(name: str) -> dict[str, Any]:
    return {"kind": "GpuPartition", "metadata": {"name": name, "namespace": "lab", "uid": name}, "spec": {}}


def shared() -> dict[str, Any]:
    return vm("second", gpus=[{"name": "gpu0", "partitionRef": "shared"}])


def test_an_older_version_never_replaces_a_newer_one() -> None:
    store = Store()
    store.put("VirtualMachine", at(7, vm()))
    assert store.put("VirtualMachine", at(5, vm(runStrategy="Halted"))) == set()
    found = store.get("VirtualMachine", ("lab", "desk"))
    assert found is not None
    assert found["spec"]["runStrategy"] == "Always"


def test_a_list_tells_what_vanished_unseen() -> None:
    store = Store()
    store.put("VirtualMachine", at(3, vm("ghost")))
    assert ("VirtualMachine", ("lab", "ghost")) in swept(store, 9, at(5, vm()))
    assert store.get("VirtualMachine", ("lab", "ghost")) is None


def test_what_came_or_went_while_the_list_was_on_its_way_stays_so() -> None:
    store = Store()
    store.put("VirtualMachine", at(12, vm("new")))
    store.put("VirtualMachine", at(3, vm("old")))
    store.put("VirtualMachine", at(13, vm("old")), deleted=True)
    swept(store, 10, at(3, vm("old")))
    assert store.get("VirtualMachine", ("lab", "new"))
    assert store.get("VirtualMachine", ("lab", "old")) is None


def test_a_machine_whose_pod_has_the_partition_is_the_rival_of_others() -> None:
    store = Store()
    store.put("Pod", pod("first", "shared", "first-kvm"))
    assert store.observed(shared()).rivals == {"shared": "VirtualMachine/first"}


def test_a_pod_that_is_not_ours_and_holds_the_claim_is_a_rival_too() -> None:
    store = Store()
    held = {"reservedFor": [{"resource": "pods", "name": "notebook"}]}
    meta = {"name": "shared", "namespace": "lab", "uid": "c"}
    store.put("ResourceClaim", {"kind": "ResourceClaim", "metadata": meta, "spec": {}, "status": held})
    assert store.observed(shared()).rivals == {"shared": "Pod/notebook"}
    assert store.consumer(partition("shared")) == "Pod/notebook"


def test_a_pod_that_has_ended_gives_its_partition_to_the_next_and_tells_it() -> None:
    store = Store()
    store.put("VirtualMachine", shared())
    store.put("GpuPartition", partition("shared"))
    store.put("Pod", pod("first", "shared"))
    concerned = store.put("Pod", pod("first", "shared", phase="Succeeded"))
    assert ("VirtualMachine", ("lab", "second")) in concerned
    assert ("GpuPartition", ("lab", "shared")) in concerned
    assert store.observed(shared()).rivals == {}


def test_a_policy_concerns_all_others_as_it_may_take_cards_from_them_or_leave_them() -> None:
    store = Store()
    for version, name in enumerate("ab"):
        store.put("GpuPolicy", at(version, {"kind": "GpuPolicy", "metadata": {"name": name, "uid": name}, "spec": {}}))
    both = {("GpuPolicy", ("", "a")), ("GpuPolicy", ("", "b"))}
    policy = at(9, {"kind": "GpuPolicy", "metadata": {"name": "a", "uid": "a"}, "spec": {}})
    assert store.put("GpuPolicy", policy) == both
    assert store.put("GpuPolicy", policy, deleted=True) >= both - {("GpuPolicy", ("", "a"))}


def test_the_user_of_a_claim_is_its_machine_or_the_pod_that_holds_it() -> None:
    store = Store()
    store.put("Pod", at(1, pod("desk", "shared")))
    assert store.user("lab/shared") == "VirtualMachine/desk"
    held = {"metadata": {"name": "other", "namespace": "lab", "uid": "x"}}
    store.put("ResourceClaim", at(2, {**held, "status": {"reservedFor": [{"resource": "pods", "name": "train"}]}}))
    assert store.user("lab/other") == "Pod/train"
    assert store.user("lab/nobody") is None


def test_a_node_concerns_the_machines_on_it_and_no_others() -> None:
    store = Store()
    store.put("Pod", pod("here", node="n1"))
    store.put("Pod", pod("there", node="n2"))
    node = {"kind": "Node", "metadata": {"name": "n1"}, "status": {}}
    assert store.put("Node", node) == {("VirtualMachine", ("lab", "here"))}


def claim(name: str, *devices: str) -> dict[str, Any]:
    results = [{"driver": "libvf.io", "pool": "n1-card", "device": device} for device in devices]
    meta = {"name": name, "namespace": "lab", "uid": name}
    return {"kind": "ResourceClaim", "metadata": meta, "status": {"allocation": {"devices": {"results": results}}}}


def test_who_has_a_device_is_known_without_a_look_at_all_claims() -> None:
    store = Store()
    store.put("ResourceClaim", at(1, claim("a", "x-0", "x-1")))
    store.put("ResourceClaim", at(2, claim("b", "x-2")))
    held = {("n1-card", "x-0"): "lab/a", ("n1-card", "x-1"): "lab/a", ("n1-card", "x-2"): "lab/b"}
    assert store.allocated.held == held
    store.put("ResourceClaim", at(3, claim("a", "x-3")))
    store.put("ResourceClaim", at(4, claim("b", "x-2")), deleted=True)
    assert store.allocated.held == {("n1-card", "x-3"): "lab/a"}


def test_a_device_that_passed_on_is_its_new_holders() -> None:
    store = Store()
    store.put("ResourceClaim", at(1, claim("a", "x-0")))
    store.put("ResourceClaim", at(2, claim("b", "x-0")))
    store.put("ResourceClaim", at(3, claim("a")), deleted=True)
    assert store.allocated.held == {("n1-card", "x-0"): "lab/b"}


def node(ready: str, beat: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready, "lastHeartbeatTime": beat}]
    return {"kind": "Node", "metadata": {"name": "n1", "uid": "n1"}, "status": {"conditions": conditions}}


def test_a_version_that_is_known_concerns_nobody() -> None:
    store = Store()
    assert store.put("VirtualMachine", at(7, vm())) == {("VirtualMachine", ("lab", "desk"))}
    assert store.put("VirtualMachine", at(7, vm())) == set()
    assert swept(store, 9, at(7, vm())) == set()


def test_what_a_list_has_anew_is_kept_as_if_it_had_been_told() -> None:
    told, found = Store(), Store()
    concerned = told.put("VirtualMachine", at(7, vm()))
    assert found.listed("VirtualMachine", item(at(7, vm()))) == concerned
    assert found.get("VirtualMachine", ("lab", "desk")) == told.get("VirtualMachine", ("lab", "desk"))
    assert found.listed("VirtualMachine", item(at(8, vm(runStrategy="Halted")))) == concerned
    changed = found.get("VirtualMachine", ("lab", "desk"))
    assert changed
    assert (changed["kind"], changed["spec"]["runStrategy"]) == ("VirtualMachine", "Halted")


def test_a_node_that_is_as_it_was_concerns_nobody() -> None:
    store = Store()
    store.put("Pod", at(1, pod("desk", node="n1")))
    concerned = {("VirtualMachine", ("lab", "desk"))}
    assert store.put("Node", at(2, node("True", "now"))) == concerned
    assert store.put("Node", at(3, node("True", "later"))) == set()
    assert store.put("Node", at(4, node("Unknown", "later"))) == concerned
    assert store.put("Node", at(5, node("Unknown", "later")), deleted=True) == concerned


def test_who_wrote_which_field_is_not_kept() -> None:
    store = Store()
    machine = at(1, vm())
    store.put("VirtualMachine", {**machine, "metadata": {**machine["metadata"], "managedFields": [{"manager": "x"}]}})
    assert store.get("VirtualMachine", ("lab", "desk")) == machine


def test_what_is_taken_from_the_store_may_be_changed() -> None:
    store = Store()
    store.put("VirtualMachine", at(1, vm()))
    taken = store.get("VirtualMachine", ("lab", "desk"))
    assert taken
    taken["spec"].clear()
    assert store.get("VirtualMachine", ("lab", "desk")) == at(1, vm())
