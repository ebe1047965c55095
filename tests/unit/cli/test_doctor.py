"""`kubectl vf doctor`."""

import json
from typing import Any

import pytest
from libvf_cli.__main__ import main

from tests.unit.cli.conftest import Kubectl

Json = dict[str, Any]
INFO = {"kubeletVersion": "v1.36.1", "containerRuntimeVersion": "containerd://2.0.4"}


def finding(check: str, severity: str, cure: str = "") -> Json:
    return {"subject": "host", "check": check, "severity": severity, "what": f"{check} was read", "cure": cure}


WELL = {"findings": [finding("Kernel", "ok"), finding("Kvm", "ok")]}
ILL = {
    "findings": [finding("Kernel", "ok"), finding("Memlock", "warning", "start it"), finding("Kvm", "error", "load")]
}


def node(name: str) -> Json:
    return {"metadata": {"name": name}, "status": {"nodeInfo": INFO}}


def test_a_cluster_that_lacks_nothing_ends_with_zero(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.agents(n1="Running", n2="Running")
    kubectl.answers("get", "nodes", output={"items": [node("n1"), node("n2")]})
    kubectl.answers("exec", output=WELL)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out == "NODE   STATE\nn1     ok: 2\nn2     ok: 2\n"


def test_what_fails_is_told_with_its_cure_the_worst_first(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.agents(n1="Running", n2="Running")
    kubectl.answers("get", "nodes", output={"items": []})
    kubectl.answers("exec", "agent-n1", output=WELL)
    kubectl.answers("exec", "agent-n2", output=ILL, errors="command terminated with exit code 1", code=1)
    assert main(["doctor"]) == 1
    table, cures, hosts = capsys.readouterr().out.strip().split("\n\n")
    assert [line.split()[:3] for line in table.splitlines()[1:]] == [
        ["n2", "error", "Kvm"],
        ["n2", "warning", "Memlock"],
    ]
    assert cures.splitlines() == ["Cures:", "  Kvm on n2: load", "  Memlock on n2: start it"]
    assert hosts.splitlines()[2] == "n2     error: 1, warning: 1, ok: 1"


def test_warnings_alone_do_not_fail(kubectl: Kubectl) -> None:
    kubectl.agents(n1="Running")
    kubectl.answers("get", "nodes", output={"items": []})
    kubectl.answers("exec", output={"findings": [finding("Memlock", "warning", "start it")]})
    assert main(["doctor"]) == 0


def test_the_agent_is_told_the_versions_that_the_node_object_knows(kubectl: Kubectl) -> None:
    kubectl.agents(n1="Running")
    kubectl.answers("get", "nodes", "n1", output=node("n1"))
    kubectl.answers("exec", output=WELL)
    assert main(["doctor", "n1"]) == 0
    [call] = [call for call in kubectl.calls if "exec" in call]
    assert call == [
        "exec", "agent-n1", "--namespace=libvf-system", "--container=agent", "--",
        "python3", "-m", "libvf_agent", "doctor",
        "--kubelet=v1.36.1", "--runtime=containerd://2.0.4", "--output", "json",
    ]  # fmt: skip


def test_who_may_not_see_nodes_gets_the_rest(kubectl: Kubectl) -> None:
    kubectl.agents(n1="Running")
    kubectl.answers("get", "nodes", errors='nodes is forbidden: User "ada" cannot list', code=1)
    kubectl.answers("exec", "--kubelet=", output=WELL)
    assert main(["doctor"]) == 0


def test_programs_get_every_node_with_its_findings_or_its_error(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.agents(n1="Running", n2="Pending")
    kubectl.answers("get", "nodes", output={"items": []})
    kubectl.answers("exec", "agent-n1", output=WELL)
    assert main(["doctor", "--output", "json"]) == 1
    first, second = json.loads(capsys.readouterr().out)["nodes"]
    assert first == {"node": "n1", **WELL}
    assert second["node"] == "n2"
    assert second["error"].startswith("the agent's Pod agent-n2 is Pending: kubectl describe pod")
