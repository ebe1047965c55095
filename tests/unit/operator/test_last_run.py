"""How a machine's last run ended outlives the Pod that said so."""

import json
from typing import Any

from libvf_operator import machine_status
from libvf_operator.last_run import event
from libvf_operator.objects import Object

from tests.unit.operator.test_machine import settled, vm

HUNG = "the guest did not shut down within its grace period and was ended"


def _ended(reason: str, message: str, **more: Any) -> Object:
    words = json.dumps({"reason": reason, "message": message, "exitCode": 0})
    return {"terminated": {"exitCode": 0, "message": words, "finishedAt": "2026-01-02T03:04:05Z", **more}}


def _stopping(machine: Object, state: Object) -> Object:
    seen = settled(machine, containerStatuses=[{"state": state}])
    assert seen.pod is not None
    seen.pod["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"
    return machine_status.status(machine, seen)


def test_a_guest_that_had_to_be_ended_is_told_of_after_its_pod_is_gone() -> None:
    machine = vm(runStrategy="Halted")
    machine["status"] = _stopping(machine, _ended("Killed", HUNG))
    assert machine["status"]["lastRun"] == {"reason": "Killed", "message": HUNG, "finishedAt": "2026-01-02T03:04:05Z"}
    assert machine_status.status(machine, settled(machine, live=False))["lastRun"]["reason"] == "Killed"


def test_it_is_a_warning_once() -> None:
    machine = vm(runStrategy="Halted")
    after = _stopping(machine, _ended("Killed", HUNG))
    assert event(machine, after) == ("Warning", "Killed", HUNG)
    assert event({**machine, "status": after}, after) is None


def test_a_guest_that_shut_down_as_asked_is_no_warning() -> None:
    machine = vm(runStrategy="Halted")
    found = event(machine, _stopping(machine, _ended("Stopped", "the guest was shut down as asked")))
    assert found == ("Normal", "Stopped", "the guest was shut down as asked")


def test_the_end_before_stays_while_the_next_run_goes_on() -> None:
    machine = vm()
    running = {"state": {"running": {"startedAt": "2026-01-02T03:04:06Z"}}, "lastState": _ended("QemuExited", "gone")}
    assert machine_status.status(machine, settled(machine, containerStatuses=[running]))["lastRun"]["message"] == "gone"


def test_a_launcher_that_left_no_words_is_told_by_kubelets() -> None:
    machine = vm()
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": ""}}
    found = machine_status.status(machine, settled(machine, containerStatuses=[{"state": killed}]))["lastRun"]
    assert found == {"reason": "OOMKilled", "message": "the launcher ended with 137"}


def test_a_machine_that_never_ran_tells_of_none() -> None:
    assert "lastRun" not in machine_status.status(vm(), settled(vm(), live=False))
