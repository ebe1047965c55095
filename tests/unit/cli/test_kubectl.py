"""How the user's own kubectl is called, and what is said where that fails."""

import os
from pathlib import Path

import pytest
from libvf_cli.__main__ import main
from libvf_cli.errors import KubectlFailed
from libvf_cli.kubectl import Kubectl as Door

from tests.unit.cli.conftest import Kubectl


def test_context_and_kubeconfig_are_passed_on_to_every_call(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/ada/config")
    kubectl.agents(n1="Running")
    kubectl.answers("exec", output={"gpus": []})
    assert main(["gpus", "--context", "lab", "--kubeconfig=/etc/k"]) == 0
    assert [call[:2] for call in kubectl.calls] == [["--context=lab", "--kubeconfig=/etc/k"]] * 2
    assert kubectl.kubeconfigs == {"/home/ada/config"}


def test_without_kubectl_the_cure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["gpus"]) == 1
    assert capsys.readouterr().err == (
        "kubectl-vf: there is no kubectl on PATH: install it, or put its folder on PATH\n"
    )


def test_kubectls_own_words_are_told(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("get", "pods", errors="The connection to the server was refused", code=1)
    assert main(["doctor"]) == 1
    assert "The connection to the server was refused" in capsys.readouterr().err


def test_a_cluster_without_libvf_is_told_how_to_install_it(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers("get", "pods", output={"items": []})
    assert main(["doctor"]) == 1
    assert "kubectl apply -k manifests/overlays/default" in capsys.readouterr().err


def test_a_node_without_agent_is_told_the_names_that_have_one(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.agents(n1="Running", n2="Running")
    assert main(["gpus", "n9"]) == 1
    assert capsys.readouterr().err == "kubectl-vf: no agent on node n9: name one of n1, n2\n"


def test_an_agent_of_another_version_is_told_apart_from_one_that_failed(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.agents(n1="Running")
    kubectl.answers("exec", output={"cards": []})
    assert main(["gpus"]) == 1
    assert "use the one of the same version as the agent" in capsys.readouterr().out


def test_a_call_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(KubectlFailed, match="kubectl get did not end"):
        Door(seconds=0.2).get("pods")
