"""The claims of a VM: its state's own, those it waits for, and who may write to which file."""

from dataclasses import replace
from typing import Any

import pytest
from libvf_operator import machine, machine_status, pod, volume
from libvf_operator.machine import Observed
from libvf_operator.store import Store

from tests.unit.operator.test_machine import SETTINGS, kinds, scheduled, settled, vm
from tests.unit.operator.test_store import at

NO_CLASS = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
STATE = {"size": "1Gi"}


def claim(name: str, phase: str = "Bound", **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "lab", "uid": f"claim-{name}"}
    return {"kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec, "status": {"phase": phase}}


def made(thing: dict[str, Any], phase: str = "Bound") -> dict[str, Any]:
    """The state's claim as the API server shows it."""
    child = volume.for_state(thing)
    assert child is not None
    return {**child, "status": {"phase": phase}}


def among(seen: Observed, *claims: dict[str, Any]) -> Observed:
    return replace(seen, others={("PersistentVolumeClaim", each["metadata"]["name"]): each for each in claims})


def on(name: str, what: str = "root", **fields: Any) -> dict[str, Any]:
    path = {"path": fields.pop("path")} if "path" in fields else {}
    return {"name": what, "persistentVolumeClaim": {"claimName": name, **path}, **fields}


def reason(thing: dict[str, Any], seen: Observed) -> tuple[str, str]:
    found = {c["type"]: c for c in machine_status.status(thing, seen)["conditions"]}["Ready"]
    return found["reason"], found["message"]


def test_a_state_is_made_with_the_machine_and_goes_with_it() -> None:
    thing = vm(state={"size": "1Gi", "storageClassName": "fast"})
    [child] = [c for c in machine.desired(thing, Observed(), SETTINGS).create if c["kind"] == volume.KIND]
    assert child["metadata"]["name"] == "desk-state"
    assert [owner["uid"] for owner in child["metadata"]["ownerReferences"]] == ["uid-desk"]
    assert child["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "fast",
    }


def test_no_pod_is_made_before_its_state_is_there_but_it_need_not_be_bound_yet() -> None:
    thing = vm(state=STATE)
    seen = settled(thing, live=False)
    assert kinds(machine.desired(thing, seen, SETTINGS).create) == ["PersistentVolumeClaim/desk-state"]
    assert kinds(machine.desired(thing, among(seen, made(thing, "Pending")), SETTINGS).create) == ["Pod/desk"]


def test_a_halted_machine_keeps_its_state() -> None:
    thing = vm(state=STATE, runStrategy="Halted")
    seen = among(settled(thing, live=False), made(thing))
    assert "PersistentVolumeClaim/desk-state" not in kinds(machine.desired(thing, seen, SETTINGS).delete)
    assert kinds(machine.desired(thing, settled(thing, live=False), SETTINGS).create) == [
        "PersistentVolumeClaim/desk-state"
    ]


def test_a_state_that_is_named_is_used_and_none_is_made() -> None:
    thing = vm(state={"persistentVolumeClaim": {"claimName": "mine"}})
    [launcher] = machine.desired(thing, among(settled(thing, live=False), claim("mine")), SETTINGS).create
    [keep] = [v for v in launcher["spec"]["volumes"] if v["name"] == "libvf-keep"]
    [mount] = [m for m in launcher["spec"]["containers"][0]["volumeMounts"] if m["name"] == "libvf-keep"]
    assert keep["persistentVolumeClaim"] == {"claimName": "mine"}
    assert mount == {"name": "libvf-keep", "mountPath": "/var/lib/libvf-keep"}


def test_a_claim_of_somebody_else_under_the_states_name_is_not_used() -> None:
    thing = vm(state=STATE)
    seen = among(settled(thing, live=False), claim("desk-state"))
    assert reason(thing, seen)[0] == "NotOurs"
    assert machine.desired(thing, seen, SETTINGS).create == []


@pytest.mark.parametrize(
    ("claims", "expected", "words"),
    [
        ([], "VolumeMissing", "disk root: there is no PersistentVolumeClaim data in this namespace: create it"),
        ([claim("data", "Lost")], "VolumeLost", "has lost its PersistentVolume"),
        ([claim("data")], "Starting", ""),
    ],
)
def test_a_claim_that_cannot_be_used_is_named_with_the_cure(claims: list[Any], expected: str, words: str) -> None:
    thing = vm(disks=[on("data")])
    seen = among(settled(thing, live=False), *claims)
    assert reason(thing, seen)[0] == expected
    assert words in reason(thing, seen)[1]


def test_a_claim_that_is_not_bound_is_told_where_the_scheduler_waits_for_it() -> None:
    thing = vm(state=STATE)
    waits = {**scheduled(), "status": "False", "message": NO_CLASS}
    seen = among(settled(thing, conditions=[waits]), made(thing, "Pending"))
    found, message = reason(thing, seen)
    assert found == "VolumePending"
    assert (
        "desk-state is not bound: the cluster has no default StorageClass: set spec.state.storageClassName" in message
    )
    assert NO_CLASS in message
    busy = {**waits, "message": "0/1 nodes are available: cannot allocate all claims."}
    assert reason(thing, among(settled(thing, conditions=[busy]), made(thing, "Pending")))[0] == "Unschedulable"


def store_with(*running: dict[str, Any], waiting: dict[str, Any]) -> Store:
    """What the operator knows when these machines run and that one does not."""
    store = Store()
    for version, thing in enumerate(running):
        store.put("VirtualMachine", at(version, thing))
        store.put("Pod", at(version, pod.for_machine(thing, SETTINGS)))
    store.put("VirtualMachine", at(9, waiting))
    return store


WRITER = vm("first", gpus=[], disks=[on("data")])
READER = vm("first", gpus=[], disks=[on("data", changes="Discard")])


@pytest.mark.parametrize(
    ("running", "disk", "held"),
    [
        (WRITER, on("data"), True),
        (WRITER, on("data", path="disk.img"), True),
        (WRITER, on("data", path="other.img"), False),
        (WRITER, on("other"), False),
        (WRITER, on("data", changes="Discard"), True),
        (WRITER, on("data", readOnly=True), True),
        (READER, on("data"), True),
        (READER, on("data", changes="Keep"), False),
        (READER, on("data", readOnly=True), False),
    ],
)
def test_a_file_has_one_writer_or_any_number_of_readers(running: Any, disk: dict[str, Any], held: bool) -> None:
    second = vm("second", gpus=[], disks=[disk])
    store = store_with(running, waiting=second)
    assert store.observed(second).taken == ({"disk root": "VirtualMachine/first"} if held else {})


def test_who_has_a_disk_is_told_and_the_next_is_looked_at_when_it_is_given_back() -> None:
    second = vm("second", gpus=[], disks=[on("data")])
    store = store_with(WRITER, waiting=second)
    seen = among(settled(second, live=False), claim("data"))
    found, message = reason(second, replace(seen, taken=store.observed(second).taken))
    assert found == "DiskInUse"
    assert "disk root: disk.img on PersistentVolumeClaim data is in use by VirtualMachine/first" in message
    concerned = store.put("Pod", at(10, pod.for_machine(WRITER, SETTINGS)), deleted=True)
    assert ("VirtualMachine", ("lab", "second")) in concerned
    assert store.observed(second).taken == {}


def test_a_state_is_one_machines_alone() -> None:
    state = {"persistentVolumeClaim": {"claimName": "mine"}}
    second = vm("second", gpus=[], state=state)
    store = store_with(vm("first", gpus=[], state=state), waiting=second)
    assert store.observed(second).taken == {"spec.state": "VirtualMachine/first"}


def test_a_claim_concerns_the_machines_that_use_it_and_no_others() -> None:
    store = store_with(waiting=vm("second", gpus=[], disks=[on("data")]))
    assert store.put("PersistentVolumeClaim", at(11, claim("data"))) == {("VirtualMachine", ("lab", "second"))}
    assert store.put("PersistentVolumeClaim", at(12, claim("other"))) == set()
