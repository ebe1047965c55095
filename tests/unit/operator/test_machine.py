"""What a VirtualMachine needs in each situation, and what its status says."""

from typing import Any

import pytest
from libvf_operator import claim, machine, machine_status, partition, pod
from libvf_operator.machine import Observed

SETTINGS = pod.Settings("example/launcher:1")


def vm(name: str = "desk", annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    body = {"runStrategy": "Always", "memory": {"size": "1Gi"}, "gpus": [{"name": "gpu0", "type": "mdpy-xga"}], **spec}
    meta = {"name": name, "namespace": "lab", "uid": f"uid-{name}", "generation": 1, "annotations": annotations or {}}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "VirtualMachine", "metadata": meta, "spec": body}


def settled(thing: dict[str, Any], live: bool = True, **status: Any) -> Observed:
    """A VM's surroundings with every child there."""
    parts = {p["metadata"]["name"]: p for p in (partition.for_gpu(thing, g) for g in thing["spec"]["gpus"])}
    for name, part in parts.items():
        part["metadata"]["uid"] = f"uid-{name}"
    claims = {name: claim.for_partition(part) for name, part in parts.items()}
    kvm = claim.for_kvm(thing)
    claims[kvm["metadata"]["name"]] = kvm
    launcher = pod.for_machine(thing, SETTINGS)
    launcher["metadata"]["uid"] = f"uid-{launcher['metadata']['name']}"
    launcher["status"] = status
    return Observed(pod=launcher if live else None, partitions=parts, claims=claims)


def kinds(things: list[dict[str, Any]]) -> list[str]:
    return [f"{thing['kind']}/{thing['metadata']['name']}" for thing in things]


def ready(thing: dict[str, Any], seen: Observed) -> tuple[str, str]:
    found = {c["type"]: c for c in machine_status.status(thing, seen)["conditions"]}["Ready"]
    return found["status"], found["reason"]


def test_a_new_machine_first_gets_its_partition_and_its_kvm_claim() -> None:
    wanted = machine.desired(vm(), Observed(), SETTINGS)
    assert kinds(wanted.create) == ["GpuPartition/desk-gpu0", "ResourceClaim/desk-kvm"]


def test_the_pod_is_made_when_every_claim_is_there_and_not_before() -> None:
    seen = settled(vm(), live=False)
    assert kinds(machine.desired(vm(), seen, SETTINGS).create) == ["Pod/desk"]
    del seen.claims["desk-gpu0"]
    assert machine.desired(vm(), seen, SETTINGS).create == []


def test_a_second_look_changes_nothing() -> None:
    wanted = machine.desired(vm(), settled(vm()), SETTINGS)
    assert wanted.create == []
    assert wanted.delete == []


def test_a_pod_that_ends_is_waited_for_before_the_next() -> None:
    seen = settled(vm())
    assert seen.pod is not None
    seen.pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    wanted = machine.desired(vm(), seen, SETTINGS)
    assert (wanted.create, wanted.delete) == ([], [])


@pytest.mark.parametrize(
    ("strategy", "annotation", "runs"),
    [
        ("Always", None, True),
        ("Halted", None, False),
        ("Once", None, True),
        ("RerunOnFailure", None, True),
        ("Manual", None, False),
        ("Manual", "Running", True),
        ("Manual", "Stopped", False),
    ],
)
def test_run_strategies(strategy: str, annotation: str | None, runs: bool) -> None:
    notes = {"libvf.io/requested-state": annotation} if annotation else {}
    thing = vm(annotations=notes, runStrategy=strategy)
    assert kinds(machine.desired(thing, settled(thing, live=False), SETTINGS).create) == (["Pod/desk"] if runs else [])
    assert kinds(machine.desired(thing, settled(thing), SETTINGS).delete) == ([] if runs else ["Pod/desk"])


def test_once_is_not_run_again_although_its_pod_is_gone() -> None:
    thing = vm(runStrategy="Once")
    thing["status"] = machine_status.status(thing, settled(thing, phase="Succeeded", conditions=[scheduled()]))
    assert ready(thing, settled(thing, live=False)) == ("False", "Completed")
    assert machine.desired(thing, settled(thing, live=False), SETTINGS).create == []


def test_a_partition_that_another_machine_has_is_not_taken() -> None:
    thing = vm(gpus=[{"name": "gpu0", "partitionRef": "shared"}])
    seen = Observed(rivals={"shared": "VirtualMachine/first"})
    block = machine.blocked(thing, seen)
    assert block is not None
    assert block.reason == "PartitionInUse"
    assert (
        block.message == "GpuPartition shared is already in use by VirtualMachine/first: stop that one, or use another"
    )
    assert ready(thing, seen) == ("False", "PartitionInUse")


def test_a_partition_that_does_not_exist_is_named() -> None:
    thing = vm(gpus=[{"name": "gpu0", "partitionRef": "nowhere"}])
    block = machine.blocked(thing, Observed())
    assert block is not None
    assert block.reason == "PartitionMissing"
    assert "nowhere" in block.message


def test_a_pod_of_somebody_else_with_our_name_is_left_alone() -> None:
    seen = settled(vm())
    assert seen.pod is not None
    seen.pod["metadata"]["ownerReferences"] = []
    wanted = machine.desired(vm(), seen, SETTINGS)
    assert (wanted.create, wanted.delete) == ([], [])
    assert ready(vm(), seen) == ("False", "NotOurs")


def test_a_changed_template_makes_the_partition_anew_once_the_machine_is_off() -> None:
    seen = settled(vm(), live=False)
    other = vm(gpus=[{"name": "gpu0", "type": "mdpy-hd"}])
    assert kinds(machine.desired(other, seen, SETTINGS).delete) == ["GpuPartition/desk-gpu0"]


def scheduled() -> dict[str, str]:
    return {"type": "PodScheduled", "status": "True"}


def running() -> dict[str, Any]:
    return {
        "conditions": [scheduled(), {"type": "Ready", "status": "True"}],
        "containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
    }


def test_once_that_failed_is_not_run_again_either() -> None:
    thing = vm(runStrategy="Once")
    thing["status"] = machine_status.status(thing, settled(thing, phase="Failed", conditions=[scheduled()]))
    assert ready(thing, settled(thing, live=False)) == ("False", "PodFailed")
    assert machine.desired(thing, settled(thing, live=False), SETTINGS).create == []


def test_a_machine_that_has_completed_runs_again_after_it_was_halted() -> None:
    thing = vm(runStrategy="Once")
    thing["status"] = machine_status.status(thing, settled(thing, phase="Succeeded", conditions=[scheduled()]))
    halted = {**thing, "spec": {**thing["spec"], "runStrategy": "Halted"}}
    thing["status"] = machine_status.status(halted, settled(halted, live=False))
    assert kinds(machine.desired(thing, settled(thing, live=False), SETTINGS).create) == ["Pod/desk"]


def test_halted_gives_the_kvm_claim_back_and_keeps_the_request_for_a_slice() -> None:
    thing = vm(runStrategy="Halted")
    wanted = machine.desired(thing, settled(thing, live=False), SETTINGS)
    assert kinds(wanted.delete) == ["ResourceClaim/desk-kvm"]


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Pending"},
        {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
        {"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
    ],
    ids=["unscheduled", "image missing", "QEMU refuses"],
)
def test_a_mended_spec_takes_effect_at_once_where_no_guest_runs(status: dict[str, Any]) -> None:
    mended = vm(gpus=[{"name": "gpu0", "type": "mdpy-hd"}], cpu={"cores": 2})
    assert kinds(machine.desired(mended, settled(vm(), **status), SETTINGS).delete) == ["Pod/desk"]


def test_a_guest_that_runs_is_not_ended_by_a_changed_spec() -> None:
    grown = vm(memory={"size": "2Gi"})
    assert machine.desired(grown, settled(vm(), **running()), SETTINGS).delete == []


def test_a_partition_that_was_deleted_under_a_machine_is_asked_for_again() -> None:
    seen = settled(vm(), **running())
    del seen.partitions["desk-gpu0"]
    wanted = machine.desired(vm(), seen, SETTINGS)
    assert kinds(wanted.create) == ["GpuPartition/desk-gpu0"]
    assert wanted.delete == []


def test_a_partition_of_somebody_else_under_a_templates_name_is_not_used() -> None:
    seen = settled(vm(), live=False)
    seen.partitions["desk-gpu0"]["metadata"]["ownerReferences"] = []
    assert ready(vm(), seen) == ("False", "NotOurs")
    assert machine.desired(vm(), seen, SETTINGS).create == []


@pytest.mark.parametrize("name", ["desk-gpu0", "desk-kvm"])
def test_a_claim_of_somebody_else_is_neither_used_nor_removed(name: str) -> None:
    seen = settled(vm(), live=False)
    seen.claims[name]["metadata"]["ownerReferences"] = []
    assert ready(vm(), seen) == ("False", "NotOurs")
    wanted = machine.desired(vm(), seen, SETTINGS)
    assert (wanted.create, wanted.delete) == ([], [])


def test_a_claim_on_its_way_out_is_waited_for() -> None:
    seen = settled(vm(), live=False)
    seen.claims["desk-gpu0"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert ready(vm(), seen) == ("False", "PreparingClaims")
    assert machine.desired(vm(), seen, SETTINGS).create == []


def asked(thing: dict[str, Any], at: str) -> dict[str, Any]:
    return vm(annotations={"libvf.io/restart-requested": at}, **thing["spec"])


def test_a_restart_ends_the_pod_and_makes_it_anew_once() -> None:
    seen, thing = settled(vm(), **running()), asked(vm(), "t1")
    assert kinds(machine.desired(thing, seen, SETTINGS).delete) == ["Pod/desk"]
    assert kinds(machine.desired(thing, settled(thing, live=False), SETTINGS).create) == ["Pod/desk"]
    wanted = machine.desired(thing, settled(thing, **running()), SETTINGS)
    assert (wanted.create, wanted.delete) == ([], [])


def test_a_second_restart_is_another_request() -> None:
    seen = settled(asked(vm(), "t1"), **running())
    assert kinds(machine.desired(asked(vm(), "t2"), seen, SETTINGS).delete) == ["Pod/desk"]


def test_a_restart_is_waited_for_while_the_guest_shuts_down() -> None:
    seen = settled(vm(), **running())
    assert seen.pod is not None
    seen.pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    wanted = machine.desired(asked(vm(), "t1"), seen, SETTINGS)
    assert (wanted.create, wanted.delete) == ([], [])


def test_a_restart_applies_the_changed_spec() -> None:
    seen = settled(vm(), **running())
    grown = asked(vm(memory={"size": "2Gi"}), "t1")
    assert kinds(machine.desired(grown, seen, SETTINGS).delete) == ["Pod/desk"]
    after = settled(grown, **running())
    found = {c["type"]: c for c in machine_status.status(grown, after)["conditions"]}
    assert found["RestartRequired"]["status"] == "False"


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_restart_runs_a_machine_once_more_that_has_ended(phase: str) -> None:
    once = vm(runStrategy="Once")
    once["status"] = machine_status.status(once, settled(once, phase=phase, conditions=[scheduled()]))
    again = {**asked(once, "t1"), "status": once["status"]}
    pod_of_before = settled(once, phase=phase)
    assert kinds(machine.desired(again, pod_of_before, SETTINGS).delete) == ["Pod/desk"]
    assert kinds(machine.desired(again, settled(again, live=False), SETTINGS).create) == ["Pod/desk"]


def test_a_restart_that_was_carried_out_is_not_carried_out_again_when_its_pod_is_gone() -> None:
    again = asked(vm(runStrategy="Once"), "t1")
    again["status"] = machine_status.status(again, settled(again, phase="Failed", conditions=[scheduled()]))
    again["status"] = machine_status.status(again, settled(again, live=False))
    assert machine.desired(again, settled(again, live=False), SETTINGS).create == []


def test_a_halted_machine_is_not_started_by_a_restart() -> None:
    halted = asked(vm(runStrategy="Halted"), "t1")
    assert machine.desired(halted, settled(halted, live=False), SETTINGS).create == []
