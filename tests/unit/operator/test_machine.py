"""What a VirtualMachine needs in each situation, and what its status says."""

import json
from typing import Any

import pytest
from libvf_operator import claim, machine, partition, pod
from libvf_operator.machine import Observed

SETTINGS = pod.Settings("example/launcher:1")


def vm(name: str = "desk", annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    body = {"runStrategy": "Always", "memory": {"size": "1Gi"}, "gpus": [{"name": "gpu0", "type": "mdpy-xga"}], **spec}
    meta = {"name": name, "namespace": "lab", "uid": f"uid-{name}", "generation": 1, "annotations": annotations or {}}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "VirtualMachine", "metadata": meta, "spec": body}


def settled(thing: dict[str, Any], live: bool = True, **status: Any) -> Observed:
    """A VM's surroundings with every child there."""
    parts = {p["metadata"]["name"]: p for p in (partition.for_gpu(thing, g) for g in thing["spec"]["gpus"])}
    claims = {name: claim.for_partition({**p, "metadata": {**p["metadata"], "uid": "p"}}) for name, p in parts.items()}
    kvm = claim.for_kvm(thing)
    claims[kvm["metadata"]["name"]] = kvm
    launcher = pod.for_machine(thing, SETTINGS)
    launcher["status"] = status
    return Observed(pod=launcher if live else None, partitions=parts, claims=claims)


def kinds(things: list[dict[str, Any]]) -> list[str]:
    return [f"{thing['kind']}/{thing['metadata']['name']}" for thing in things]


def ready(thing: dict[str, Any], seen: Observed) -> tuple[str, str]:
    found = {c["type"]: c for c in machine.status(thing, seen)["conditions"]}["Ready"]
    return found["status"], found["reason"]


def test_a_new_machine_first_gets_its_partition_and_its_kvm_claim() -> None:
    wanted = machine.desired(vm(), Observed(), SETTINGS)
    assert kinds(wanted.apply) == ["GpuPartition/desk-gpu0", "ResourceClaim/desk-kvm"]


def test_the_pod_is_made_when_every_claim_is_there_and_not_before() -> None:
    seen = settled(vm(), live=False)
    assert kinds(machine.desired(vm(), seen, SETTINGS).apply) == ["Pod/desk"]
    del seen.claims["desk-gpu0"]
    assert machine.desired(vm(), seen, SETTINGS).apply == []


def test_a_second_look_changes_nothing() -> None:
    wanted = machine.desired(vm(), settled(vm()), SETTINGS)
    assert wanted.apply == []
    assert wanted.delete == []


def test_a_pod_that_ends_is_waited_for_before_the_next() -> None:
    seen = settled(vm())
    assert seen.pod is not None
    seen.pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    wanted = machine.desired(vm(), seen, SETTINGS)
    assert (wanted.apply, wanted.delete) == ([], [])


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
    assert kinds(machine.desired(thing, settled(thing, live=False), SETTINGS).apply) == (["Pod/desk"] if runs else [])
    assert kinds(machine.desired(thing, settled(thing), SETTINGS).delete) == ([] if runs else ["Pod/desk"])


def test_once_is_not_run_again_although_its_pod_is_gone() -> None:
    thing = vm(runStrategy="Once")
    thing["status"] = machine.status(thing, settled(thing, phase="Succeeded", conditions=[_scheduled()]))
    assert ready(thing, settled(thing, live=False)) == ("False", "Completed")
    assert machine.desired(thing, settled(thing, live=False), SETTINGS).apply == []


def test_a_partition_that_another_machine_has_is_not_taken() -> None:
    thing = vm(gpus=[{"name": "gpu0", "partitionRef": "shared"}])
    seen = Observed(rivals={"shared": "first"})
    assert machine.blocked(thing, seen) == (
        "PartitionInUse",
        "GpuPartition shared is already VirtualMachine first's: stop that one, or use another",
    )
    assert ready(thing, seen) == ("False", "PartitionInUse")


def test_a_partition_that_does_not_exist_is_named() -> None:
    thing = vm(gpus=[{"name": "gpu0", "partitionRef": "nowhere"}])
    reason, message = machine.blocked(thing, Observed()) or ("", "")
    assert reason == "PartitionMissing"
    assert "nowhere" in message


def test_a_pod_of_somebody_else_with_our_name_is_left_alone() -> None:
    seen = settled(vm())
    assert seen.pod is not None
    seen.pod["metadata"]["ownerReferences"] = []
    wanted = machine.desired(vm(), seen, SETTINGS)
    assert (wanted.apply, wanted.delete) == ([], [])
    assert ready(vm(), seen) == ("False", "NotOurs")


def test_a_lost_node_is_told_and_nothing_is_started_elsewhere() -> None:
    seen = settled(vm(), conditions=[_scheduled()])
    assert seen.pod is not None
    seen.pod["spec"]["nodeName"] = "n1"
    lost = Observed(seen.pod, seen.partitions, seen.claims, node_ready=False)
    message = {c["type"]: c for c in machine.status(vm(), lost)["conditions"]}["Ready"]["message"]
    assert "kubectl taint node n1 node.kubernetes.io/out-of-service" in message
    assert machine.desired(vm(), lost, SETTINGS).apply == []


def test_qemus_last_words_come_into_the_condition() -> None:
    words = json.dumps(
        {"reason": "QemuExited", "message": "QEMU was ended by SIGKILL: it said nothing", "exitCode": -9}
    )
    ended = {"terminated": {"exitCode": 1, "message": words}}
    container = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended}
    seen = settled(vm(), conditions=[_scheduled()], containerStatuses=[container])
    found = {c["type"]: c for c in machine.status(vm(), seen)["conditions"]}
    assert found["Ready"]["message"] == "QemuExited: QEMU was ended by SIGKILL: it said nothing"
    assert found["Stalled"]["status"] == "True"


def test_a_changed_spec_asks_for_a_restart_and_says_what_would_change() -> None:
    seen = settled(vm(), conditions=[_scheduled(), {"type": "Ready", "status": "True"}])
    grown = vm(memory={"size": "2Gi"})
    found = {c["type"]: c for c in machine.status(grown, seen)["conditions"]}["RestartRequired"]
    assert (found["status"], found["message"]) == ("True", "restart the machine to apply: spec.memory")
    assert machine.desired(grown, seen, SETTINGS).delete == []


def test_a_changed_template_makes_the_partition_anew_once_the_machine_is_off() -> None:
    seen = settled(vm(), live=False)
    other = vm(gpus=[{"name": "gpu0", "type": "mdpy-hd"}])
    assert kinds(machine.desired(other, seen, SETTINGS).delete) == ["GpuPartition/desk-gpu0"]


def test_transition_times_stay_while_nothing_changes() -> None:
    thing = vm()
    first = machine.status(thing, settled(thing, conditions=[_scheduled()]))
    for condition in first["conditions"]:
        condition["lastTransitionTime"] = "2020-01-01T00:00:00Z"
    thing["status"] = first
    assert machine.status(thing, settled(thing, conditions=[_scheduled()])) == first


def _scheduled() -> dict[str, str]:
    return {"type": "PodScheduled", "status": "True"}
