"""What a VirtualMachine's status says in each situation."""

import json
from dataclasses import replace
from typing import Any

import pytest
from libvf_operator import machine, machine_status
from libvf_operator.machine import Observed

from tests.unit.operator.test_machine import SETTINGS, running, scheduled, settled, vm


def test_a_lost_node_is_told_and_nothing_is_started_elsewhere() -> None:
    seen = settled(vm(), conditions=[scheduled()])
    assert seen.pod is not None
    seen.pod["spec"]["nodeName"] = "n1"
    lost = Observed(seen.pod, seen.partitions, seen.claims, node_ready=False)
    message = {c["type"]: c for c in machine_status.status(vm(), lost)["conditions"]}["Ready"]["message"]
    assert "kubectl taint node n1 node.kubernetes.io/out-of-service" in message
    assert machine.desired(vm(), lost, SETTINGS).create == []


def test_a_pod_that_is_being_bound_is_not_told_by_the_schedulers_last_refusal() -> None:
    refusal = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    seen = settled(vm(), conditions=[refusal])
    assert told_ready(seen) == ("Unschedulable", "waiting for the scheduler")
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    allocation = {"nodeSelector": {"nodeSelectorTerms": [{"matchFields": [field]}]}}
    own, earlier = ([{"resource": "pods", "name": "desk", "uid": uid}] for uid in ("uid-desk", "uid-before"))
    for claim in seen.claims.values():
        claim["status"] = {"allocation": allocation, "reservedFor": own}
    assert told_ready(seen) == ("Scheduling", "its devices are kept on n1")
    seen.claims["desk-gpu0"]["status"]["reservedFor"] = earlier
    assert told_ready(seen) == ("Unschedulable", "waiting for the scheduler")


def told_ready(seen: Observed) -> tuple[str, str]:
    found = {c["type"]: c for c in machine_status.status(vm(), seen)["conditions"]}["Ready"]
    return found["reason"], found["message"]


def test_qemus_last_words_come_into_the_condition() -> None:
    words = json.dumps(
        {"reason": "QemuExited", "message": "QEMU was ended by SIGKILL: it said nothing", "exitCode": -9}
    )
    ended = {"terminated": {"exitCode": 1, "message": words}}
    container = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended}
    seen = settled(vm(), conditions=[scheduled()], containerStatuses=[container])
    found = {c["type"]: c for c in machine_status.status(vm(), seen)["conditions"]}
    assert found["Ready"]["message"] == "QemuExited: QEMU was ended by SIGKILL: it said nothing"
    assert found["Stalled"]["status"] == "True"


def test_a_changed_spec_asks_for_a_restart_and_says_what_would_change() -> None:
    seen = settled(vm(), **running())
    grown = vm(memory={"size": "2Gi"})
    found = {c["type"]: c for c in machine_status.status(grown, seen)["conditions"]}["RestartRequired"]
    assert (found["status"], found["message"]) == (
        "True",
        "spec.memory.size 1Gi -> 2Gi: kubectl vf restart desk applies it",
    )


def test_transition_times_stay_while_nothing_changes() -> None:
    thing = vm()
    first = machine_status.status(thing, settled(thing, conditions=[scheduled()]))
    for condition in first["conditions"]:
        condition["lastTransitionTime"] = "2020-01-01T00:00:00Z"
    thing["status"] = first
    assert machine_status.status(thing, settled(thing, conditions=[scheduled()])) == first


def test_another_run_strategy_that_kubelet_would_not_know_of_asks_for_a_restart() -> None:
    seen = settled(vm(), **running())
    found = {c["type"]: c for c in machine_status.status(vm(runStrategy="Once"), seen)["conditions"]}
    assert found["RestartRequired"]["message"] == (
        "spec.runStrategy to Once, as the Pod's restartPolicy is Always: kubectl vf restart desk applies it"
    )


def test_what_the_api_server_refuses_is_told_in_its_words() -> None:
    seen = replace(settled(vm(), live=False), refused="exceeded quota: count/pods")
    found = {c["type"]: c for c in machine_status.status(vm(), seen)["conditions"]}
    assert found["Ready"]["reason"] == "Refused"
    assert "exceeded quota" in found["Ready"]["message"]
    assert found["Stalled"]["status"] == "True"


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}, "ErrImagePull"),
        ({"state": {"waiting": {"reason": "ContainerCreating"}}}, "Starting"),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}, "GuestFailed"),
        ({"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}, "Restarting"),
        ({"state": {"running": {}}, "started": False}, "Starting"),
    ],
)
def test_reasons_of_a_launcher_that_does_not_run(container: dict[str, Any], reason: str) -> None:
    seen = settled(vm(), conditions=[scheduled()], containerStatuses=[container])
    assert machine_status.summarise(vm(), seen).reason == reason


def test_a_guest_that_runs_is_ready_and_settled() -> None:
    found = {c["type"]: c["status"] for c in machine_status.status(vm(), settled(vm(), **running()))["conditions"]}
    assert (found["Ready"], found["Reconciling"], found["Stalled"]) == ("True", "False", "False")


def test_a_virtual_gpu_is_told_with_why_and_is_no_gpu_prepared() -> None:
    seen = replace(settled(vm(), **running()), fallback="gpu0 is a virtio-gpu: all 2 slices are in use")
    found = {c["type"]: c for c in machine_status.status(vm(), seen)["conditions"]}["GpuPrepared"]
    assert (found["status"], found["reason"]) == ("False", "NotPrepared")
    for claim in seen.claims.values():
        made = {"driver": "libvf.io", "pool": "p", "device": "d", "data": {"type": "virtio-gpu"}}
        given = {"driver": "libvf.io", "pool": "p", "device": "d", "request": "gpu/virtual-gpu"}
        made["conditions"] = [{"type": "Ready", "status": "True", "reason": "Carved", "message": ""}]
        claim["status"] = {"allocation": {"devices": {"results": [given]}}, "devices": [made]}
    status = machine_status.status(vm(), seen)
    found = {c["type"]: c for c in status["conditions"]}["GpuPrepared"]
    assert (found["status"], found["reason"]) == ("False", "Fallback")
    assert "in use" in found["message"]
    assert status["gpu"] == "virtio-gpu"


@pytest.mark.parametrize(
    ("spec", "places"),
    [
        ({}, ["/run/libvf/vnc.sock"]),
        ({"display": ["spice", "lookingGlass"]}, ["/run/libvf/spice.sock", "/dev/shm/looking-glass"]),
        ({"graphics": {"mode": "Headless"}}, []),
        ({"display": []}, []),
    ],
)
def test_each_way_to_look_is_told_with_its_place(spec: dict[str, Any], places: list[str]) -> None:
    told = machine_status.status(vm(**spec), settled(vm(**spec))).get("displays", [])
    assert [display.get("socket") or display["file"] for display in told] == places


def not_ready(since: str) -> Any:
    """A guest that has run in a container of noon, and that is not ready since then."""
    container = {
        "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}},
        "started": True,
        "ready": False,
        "lastState": {"terminated": {"exitCode": 0}},
    }
    conditions = [scheduled(), {"type": "Ready", "status": "False", "lastTransitionTime": since}]
    return settled(vm(), conditions=conditions, containerStatuses=[container])


def test_a_guest_that_stands_still_is_paused_and_nothing_is_wrong_or_under_way() -> None:
    seen = not_ready("2026-01-01T12:00:09Z")
    found = {c["type"]: c for c in machine_status.status(vm(), seen)["conditions"]}
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "Paused")
    assert (found["Reconciling"]["status"], found["Stalled"]["status"]) == ("False", "False")
    assert "unpause it" in found["Ready"]["message"]


@pytest.mark.parametrize("since", ["2026-01-01T11:59:58Z", "2026-01-01T12:00:00Z"])
def test_a_guest_that_kubelet_has_not_called_ready_yet_is_on_its_way_and_not_paused(since: str) -> None:
    [told] = [c for c in machine_status.status(vm(), not_ready(since))["conditions"] if c["type"] == "Ready"]
    assert told["reason"] == "Restarting"


def test_a_guest_whose_node_is_back_is_not_called_paused_before_kubelet_has_spoken() -> None:
    seen = not_ready("2026-01-01T12:00:09Z")
    seen.pod["status"]["containerStatuses"][0]["ready"] = True  # the node controller takes Ready from the Pod alone
    found = {c["type"]: c for c in machine_status.status(vm(), seen)["conditions"]}
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "Reconnecting")
    assert found["Reconciling"]["status"] == "True"


def _kvm_says(seen: Observed, **data: Any) -> None:
    claim = seen.claims["desk-kvm"]
    claim["status"] = {"devices": [{"driver": "libvf.io", "data": {"accelerated": True, **data}}]}


def test_what_the_guest_says_of_itself_is_in_the_status_while_it_runs() -> None:
    seen = settled(vm(), **running())
    _kvm_says(seen, guest={"os": "Debian GNU/Linux 13", "hostname": "web", "addresses": ["10.0.2.15"]})
    guest = machine_status.status(vm(), seen)["guest"]
    assert (guest["os"], guest["hostname"], guest["addresses"]) == ("Debian GNU/Linux 13", "web", ["10.0.2.15"])
    assert "startedAt" in guest
    ended = settled(vm(), conditions=[scheduled()], containerStatuses=[{"state": {"waiting": {}}}])
    _kvm_says(ended, guest={"os": "Debian GNU/Linux 13"})
    assert "guest" not in machine_status.status(vm(), ended)


def test_a_claim_that_says_of_the_guest_what_no_agent_would_write_is_passed_over() -> None:
    seen = settled(vm(), **running())
    _kvm_says(seen, guest={"os": ["x"] * 1000})
    assert "os" not in machine_status.status(vm(), seen)["guest"]
