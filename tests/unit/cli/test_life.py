"""`kubectl vf start`, `stop`, `restart`, `pause`: what is asked of the API server, and what is waited for."""

import json
from typing import Any

import pytest
from libvf_cli.__main__ import main

from tests.unit.cli.conftest import Kubectl


def machine(strategy: str, reason: str, ready: bool = False, stalled: bool = False, **status: Any) -> dict[str, Any]:
    told = {"reason": reason, "message": f"{reason} is so", "observedGeneration": 3}
    conditions = [
        {"type": "Ready", "status": str(ready), **told},
        {"type": "GuestRunning", "status": str(ready), **told},
        {"type": "Stalled", "status": str(stalled), **told},
    ]
    return {
        "metadata": {"name": "desk", "namespace": "team", "generation": 3},
        "spec": {"runStrategy": strategy, "memory": {"size": "1Gi"}},
        "status": {"conditions": conditions, "ready": ready, **status},
    }


def known(kubectl: Kubectl, thing: dict[str, Any]) -> None:
    kubectl.answers("get", "virtualmachines.libvf.io", output=thing)
    kubectl.answers("patch", output=thing)


def patches(kubectl: Kubectl) -> list[Any]:
    return [
        json.loads(word.partition("=")[2]) for call in kubectl.calls for word in call if word.startswith("--patch=")
    ]


def test_a_machine_that_comes_to_a_standstill_ends_the_waiting_with_the_reason(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    known(kubectl, machine("Halted", "Unschedulable", stalled=True))
    assert main(["start", "desk", "--wait"]) == 1
    assert "desk does not run: Unschedulable: Unschedulable is so; kubectl vf explain-pending desk" in (
        capsys.readouterr().err
    )


def test_what_is_said_of_the_run_before_ends_no_waiting(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    known(kubectl, machine("Once", "PodFailed", stalled=True))
    assert main(["start", "desk", "--wait", "--timeout", "1"]) == 3
    assert "took longer than 1 s: PodFailed" in capsys.readouterr().err
    assert list(patches(kubectl)[0]["metadata"]["annotations"]) == ["libvf.io/restart-requested"]


def test_what_is_on_already_is_told_with_its_state_and_nothing_is_changed(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    known(kubectl, machine("Always", "Running", ready=True))
    assert main(["start", "desk", "--wait"]) == 0
    told = capsys.readouterr()
    assert told.out == "desk is on already: its run strategy is Always\n"
    assert told.err == "desk: Running: Running is so\n"
    assert patches(kubectl) == []


def test_programs_are_told_the_state_in_one_answer(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    known(kubectl, machine("Always", "Halted"))
    assert main(["stop", "desk", "--wait", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "name": "desk", "changed": True, "state": "Halted", "message": "Halted is so",
    }  # fmt: skip


def test_who_may_not_patch_is_told_what_to_ask_for(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("get", "virtualmachines.libvf.io", output=machine("Always", "Running", ready=True))
    kubectl.answers("patch", errors="Error from server (Forbidden): no", code=1)
    assert main(["stop", "desk"]) == 1
    assert "ask for the right to patch virtualmachines in this namespace" in capsys.readouterr().err


def test_pause_goes_by_the_gateway(kubectl: Kubectl) -> None:
    known(kubectl, machine("Always", "Running", ready=True, podName="desk"))
    kubectl.answers("replace", output={"status": "Success"})
    assert main(["pause", "desk"]) == 0
    [call] = [call for call in kubectl.calls if "replace" in call]
    base = "/apis/subresources.libvf.io/v1alpha1/namespaces/team/virtualmachines/desk"
    assert call == ["replace", "--raw", f"{base}/pause", "--filename=-"]


@pytest.mark.parametrize(
    "said",
    [
        "Error from server (NotFound): the server could not find the requested resource",
        "Error from server (Forbidden): no",
        "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
    ],
)
def test_without_the_gateway_pause_goes_by_exec(kubectl: Kubectl, said: str) -> None:
    known(kubectl, machine("Always", "Running", ready=True, podName="desk"))
    kubectl.answers("replace", errors=said, code=1)
    kubectl.answers("exec", output="{}")
    assert main(["unpause", "desk"]) == 0
    [call] = [call for call in kubectl.calls if "exec" in call]
    assert call == [
        "exec", "desk", "--namespace=team", "--container=launcher", "--", "libvf-launcher", "qmp", "cont",
    ]  # fmt: skip


def test_what_the_gateway_refuses_is_not_tried_by_exec(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    known(kubectl, machine("Always", "Running", ready=True, podName="desk"))
    kubectl.answers("replace", errors="Error from server (Conflict): desk is not up yet", code=1)
    assert main(["pause", "desk"]) == 1
    assert "desk is not up yet" in capsys.readouterr().err
    assert not [call for call in kubectl.calls if "exec" in call]


def test_a_machine_without_a_pod_can_not_be_paused(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    known(kubectl, machine("Halted", "Halted"))
    assert main(["pause", "desk"]) == 1
    assert "desk does not run (Halted: Halted is so): kubectl vf start desk" in capsys.readouterr().err


def test_errors_are_json_too_where_the_answer_would_be(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("get", errors='Error from server (NotFound): virtualmachines "x" not found', code=1)
    assert main(["stop", "x", "-o", "json"]) == 1
    assert "there is no VirtualMachine x here" in json.loads(capsys.readouterr().err)["error"]


def test_kubectls_options_may_stand_before_and_behind_the_command(kubectl: Kubectl) -> None:
    known(kubectl, machine("Always", "Running", ready=True))
    assert main(["-n", "one", "--context", "lab", "start", "desk"]) == 0
    assert main(["-n", "one", "start", "desk", "-n", "two"]) == 0
    assert [call[: call.index("get")] for call in kubectl.calls] == [
        ["--context=lab", "--namespace=one"], ["--namespace=two"],
    ]  # fmt: skip
