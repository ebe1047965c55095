"""`kubectl vf ps`: machines as rows, for people and for programs."""

import json
import os
import pty
import signal
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from libvf_cli import listing
from libvf_cli.__main__ import main

from tests.unit.cli.conftest import Kubectl, interruptible

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def machine(name: str, reason: str = "", restart: bool = False, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "RestartRequired", "status": str(restart)}]
    conditions += [{"type": "Ready", "status": "True", "reason": reason, "message": "words"}] if reason else []
    meta = {"name": name, "namespace": "team", "uid": name, "resourceVersion": "1"}
    return {
        "metadata": {**meta, "creationTimestamp": "2026-01-01T09:00:00Z"},
        "spec": {"memory": {"size": "8Gi"}, "cpu": {"cores": 4, "threads": 2}},
        "status": {"conditions": conditions, **status},
    }


RUNS = machine(
    "desk", "Running", restart=True, node="n1", gpu="nvidia-746 on a2", ready=True, displays=[{"type": "vnc"}]
)  # fmt: skip
WAITS = machine("lab")
WAITS["spec"] |= {
    "gpus": [{"name": "gpu0", "vendor": "nvidia", "vram": {"min": "1Gi"}}],
    "ports": [{"name": "ssh", "port": 22, "servicePort": 2222}, {"name": "dns", "port": 53, "protocol": "UDP"}],
}


def test_what_runs_is_shown_with_what_it_has_and_what_waits_with_what_it_asks_for() -> None:
    assert listing.rows([RUNS, WAITS], NOW, False) == [
        ("desk", "Running, restart required", "n1", "nvidia-746 on a2", "8", "8Gi", "-", "vnc", "3h"),
        ("lab", "New", "-", "(nvidia 1Gi..)", "8", "8Gi", "2222:22/TCP,53:53/UDP", "-", "3h"),
    ]


def test_of_all_namespaces_each_has_its_own(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("get", "--all-namespaces", output={"items": [RUNS]})
    assert main(["ps", "-A"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["NAMESPACE", "NAME"]
    assert row.split()[:2] == ["team", "desk"]


def test_programs_get_whole_words(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("get", output=RUNS)
    assert main(["ps", "desk", "-o", "json"]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert (told["state"], told["message"], told["ready"]) == ("Running", "words", True)
    assert (told["restartRequired"], told["cpus"], told["namespace"]) == (True, 8, "team")


def test_nothing_is_told_with_what_to_do(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("get", output={"items": []})
    assert main(["ps"]) == 0
    assert capsys.readouterr().out == "no VirtualMachine here: kubectl vf create, or -A for all namespaces\n"


@pytest.mark.parametrize(
    ("since", "words"),
    [("11:59:46", "14s"), ("11:55:00", "5m"), ("09:00:00", "3h"), ("12:00:05", "0s")],
)
def test_ages_are_short(since: str, words: str) -> None:
    assert listing.age(f"2026-01-01T{since}Z", NOW) == words


def test_on_a_terminal_the_table_stays_up_to_date_until_it_is_interrupted(kubectl: Kubectl) -> None:
    kubectl.answers("get", output={"items": [RUNS]})
    ours, theirs = pty.openpty()
    with interruptible("ps", "--watch", stdout=theirs) as process:
        seen = b""
        while b"nvidia-746" not in seen:
            seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_into_a_pipe_the_answer_comes_again_when_a_machine_changes(kubectl: Kubectl) -> None:
    kubectl.answers("get", output={"items": [RUNS]})
    with interruptible("ps", "--watch", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("NAME")
        assert process.stdout.readline().startswith("desk")
        later = {**WAITS, "metadata": {**WAITS["metadata"], "resourceVersion": "2"}}
        answers, newer = kubectl.folder / "answers", kubectl.folder / "newer"
        kubectl.answers("get", output={"items": [later]})
        newer.write_text(answers.read_text().splitlines()[-1] + "\n")
        newer.replace(answers)  # at once, as the command looks at any time
        assert process.stdout.readline().startswith("NAME")
        assert process.stdout.readline().startswith("lab")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
