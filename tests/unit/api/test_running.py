"""What start, stop and restart change, for each run strategy."""

from typing import Any

import pytest
from libvf_api import running

NOW = "2026-01-01T00:00:00Z"


def vm(strategy: str | None, ended: bool = False, **annotations: str) -> dict[str, Any]:
    notes = {f"libvf.io/{name.replace('_', '-')}": value for name, value in annotations.items()}
    reason = "Completed" if ended else "Running"
    return {
        "metadata": {"name": "desk", "annotations": notes},
        "spec": {"runStrategy": strategy} if strategy else {},
        "status": {"conditions": [{"type": "GuestRunning", "reason": reason}]},
    }


def notes(change: running.Change) -> Any:
    return change.patch["metadata"]["annotations"]


@pytest.mark.parametrize("strategy", ["Always", "Once", "RerunOnFailure"])
def test_a_stopped_machine_starts_with_the_strategy_that_it_had(strategy: str) -> None:
    stopped = running.stop(vm(strategy))
    assert stopped.patch["spec"] == {"runStrategy": "Halted"}
    kept = notes(stopped)["libvf.io/started-strategy"]
    started = running.start(vm("Halted", started_strategy=kept), NOW)
    assert started.patch["spec"] == {"runStrategy": strategy}
    assert notes(started) == {"libvf.io/started-strategy": None}


def test_a_machine_that_was_written_halted_starts_for_good() -> None:
    assert running.start(vm("Halted"), NOW).patch["spec"] == {"runStrategy": "Always"}


def test_manual_is_told_by_its_annotation_and_stays_manual() -> None:
    assert running.start(vm("Manual"), NOW).patch == {
        "metadata": {"annotations": {"libvf.io/requested-state": "Running"}}
    }
    assert running.stop(vm("Manual", requested_state="Running")).patch == {
        "metadata": {"annotations": {"libvf.io/requested-state": "Stopped"}}
    }


@pytest.mark.parametrize("machine", [vm("Once", ended=True), vm("Manual", ended=True, requested_state="Running")])
def test_a_guest_that_has_ended_runs_once_more(machine: dict[str, Any]) -> None:
    assert notes(running.start(machine, NOW)) == {"libvf.io/restart-requested": NOW}


@pytest.mark.parametrize("machine", [vm(None), vm("Always"), vm("Once"), vm("Manual", requested_state="Running")])
def test_what_is_on_is_not_started(machine: dict[str, Any]) -> None:
    change = running.start(machine, NOW)
    assert change.patch == {}
    assert "desk is on already" in change.told


@pytest.mark.parametrize("machine", [vm("Halted"), vm("Manual"), vm("Manual", requested_state="Stopped")])
def test_what_is_off_is_neither_stopped_nor_restarted(machine: dict[str, Any]) -> None:
    assert running.stop(machine).patch == {}
    with pytest.raises(running.NotRunning, match="kubectl vf start desk"):
        running.restart(machine, NOW)


@pytest.mark.parametrize("machine", [vm("Always"), vm("Once", ended=True), vm("Manual", requested_state="Running")])
def test_a_restart_is_a_request_of_its_own_time(machine: dict[str, Any]) -> None:
    assert running.restart(machine, NOW).patch == {"metadata": {"annotations": {"libvf.io/restart-requested": NOW}}}
