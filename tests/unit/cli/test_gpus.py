"""`kubectl vf gpus`."""

import json

import pytest
from libvf_cli.__main__ import main

from tests.unit.cli.conftest import Kubectl

CARD = {
    "name": "0000:65:00.0",
    "vendor": "nvidia",
    "pciId": "10de:25b6",
    "numaNode": 0,
    "parents": ["0000:65:00.4"],
    "types": [{"id": "nvidia-746", "name": "NVIDIA A2-4Q", "vram": 4 << 30, "available": 3, "total": 4}],
    "carvings": [
        {"uuid": "u1", "parent": "0000:65:00.4", "type": "nvidia-746", "ours": True, "claim": "team/desk"},
        {"uuid": "u2", "parent": "0000:65:00.5", "type": "nvidia-746", "ours": False},
    ],
}
UNCUT = {"name": "0000:00:02.0", "vendor": "intel"}


def test_types_and_carvings_are_tables_over_all_nodes(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.agents(n1="Running", n2="Running")
    kubectl.answers("exec", "agent-n1", output={"gpus": [CARD]})
    kubectl.answers("exec", "agent-n2", output={"gpus": [UNCUT]})
    assert main(["gpus"]) == 0
    assert capsys.readouterr().out == (
        "NODE   GPU            VENDOR   PCI-ID      NUMA   TYPE         VRAM   FREE   NAME\n"
        "n1     0000:65:00.0   nvidia   10de:25b6   0      nvidia-746   4Gi    3/4    NVIDIA A2-4Q\n"
        "n2     0000:00:02.0   intel    -           -      -            -      -      "
        "can not be cut now: kubectl vf doctor says why\n"
        "\n"
        "NODE   GPU            TYPE         PARENT         CLAIM        UUID\n"
        "n1     0000:65:00.0   nvidia-746   0000:65:00.4   team/desk    u1\n"
        "n1     0000:65:00.0   nvidia-746   0000:65:00.5   (not ours)   u2\n"
    )


def test_only_the_named_node_is_asked(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.agents(n1="Running", n2="Running")
    kubectl.answers("exec", output={"gpus": []})
    assert main(["gpus", "n2", "--output=json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"nodes": [{"node": "n2", "gpus": []}]}
    assert [call[1] for call in kubectl.calls if call[0] == "exec"] == ["agent-n2"]


def test_a_node_that_does_not_answer_does_not_hide_the_others(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.agents(n1="Running", n2="Running", n3="Failed")
    kubectl.answers("exec", "agent-n1", output={"gpus": [CARD]})
    kubectl.answers("exec", "agent-n2", errors="error: unable to upgrade connection: dial tcp: timeout", code=1)
    assert main(["gpus"]) == 1
    told = capsys.readouterr().out
    assert "NVIDIA A2-4Q" in told
    assert "n2 was not asked: kubectl exec in agent-n2: error: unable to upgrade connection" in told
    assert "n3 was not asked: the agent's Pod agent-n3 is Failed" in told


def test_a_pod_that_is_ending_is_not_asked_where_a_new_one_runs(kubectl: Kubectl) -> None:
    def pod(name: str, **meta: str) -> dict[str, object]:
        return {"metadata": {"name": name, **meta}, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}

    kubectl.answers("get", "pods", output={"items": [pod("new"), pod("old", deletionTimestamp="2026-01-01T00:00:00Z")]})
    kubectl.answers("exec", "new", output={"gpus": []})
    assert main(["gpus"]) == 0


def test_why_nothing_new_comes_to_a_card_is_told_with_the_cure(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    taint = {"key": "no-reset", "type": "amd-whole", "message": "it has no reset_method: allow it"}
    kubectl.agents(n1="Running")
    kubectl.answers("exec", output={"gpus": [{**CARD, "carvings": [], "taints": [taint]}]})
    assert main(["gpus"]) == 0
    told = "n1 0000:65:00.0: nothing new comes to amd-whole (no-reset): it has no reset_method: allow it"
    assert capsys.readouterr().out.splitlines()[-1] == told
