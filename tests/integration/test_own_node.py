"""An agent speaks for its own node only: RBAC gives it the verbs, admission holds it to the node of its token."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import Api

pytestmark = pytest.mark.integration

AGENT = "system:serviceaccount:libvf-system:libvf-agent"
NODES = ("speaker", "neighbour")
STATUS = {"status": {"conditions": [{"type": "LibvfReady", "status": "True", "reason": "Healthy", "message": "well"}]}}

Agent = Callable[[str], Api]
Answer = subprocess.CompletedProcess[str]


@pytest.fixture
def agent(api: Api, tmp_path: Path) -> Iterator[Agent]:
    """The API server for the agent's account, with a token bound to a node; to none where the name is empty."""
    for name in NODES:
        api.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})

    def bound_to(node: str) -> Api:
        settings: dict[str, Any] = yaml.safe_load(api.kubeconfig.read_text())
        extra = {"as-user-extra": {"authentication.kubernetes.io/node-name": [node]}} if node else {}
        for user in settings["users"]:
            user["user"] |= {"as": AGENT, **extra}
        file = tmp_path / f"kubeconfig-{node or 'unbound'}"
        file.write_text(json.dumps(settings))
        return Api(file)

    yield bound_to
    # other tests count nodes and what they offer
    api.done("delete", "resourceslice", "--ignore-not-found", *(f"{name}-kvm-libvf-0" for name in NODES))
    api.done("delete", "node", *NODES)


def tell(agent: Api, node: str) -> Answer:
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}, **STATUS}
    options = ("--server-side", "--subresource=status", "--validate=false", "--field-manager=libvf-agent")
    return agent.kubectl("apply", *options, "-f", "-", stdin=json.dumps(body))


def offer(agent: Api, node: str) -> Answer:
    pool = {"name": f"{node}-kvm", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "libvf.io", "nodeName": node, "pool": pool, "devices": [{"name": "kvm"}]}
    meta = {"name": f"{node}-kvm-libvf-0"}
    body = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": meta, "spec": spec}
    return agent.kubectl("apply", "--server-side", "--validate=false", "-f", "-", stdin=json.dumps(body))


def refused(act: Callable[[], Answer]) -> str:
    """The words of the refusal; a policy counts from a moment after it was accepted."""
    for _ in range(50):
        answer = act()
        if answer.returncode:
            return answer.stderr
        time.sleep(0.2)
    raise AssertionError("it was never refused")


@pytest.mark.parametrize("act", [tell, offer])
def test_it_writes_for_its_own_node(agent: Agent, act: Callable[[Api, str], Answer]) -> None:
    answer = act(agent("speaker"), "speaker")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("act", "words"),
    [(tell, "may only write the status of its own Node"), (offer, "may only publish and remove ResourceSlices")],
)
def test_it_does_not_write_for_another(agent: Agent, act: Callable[[Api, str], Answer], words: str) -> None:
    assert words in refused(lambda: act(agent("speaker"), "neighbour"))


@pytest.mark.parametrize("act", [tell, offer])
def test_without_a_bound_token_it_writes_nothing(agent: Agent, act: Callable[[Api, str], Answer]) -> None:
    assert "must use a token bound to its Pod" in refused(lambda: act(agent(""), "speaker"))


def test_it_may_not_change_a_node_itself(agent: Agent) -> None:
    answer = agent("speaker").kubectl("label", "node", "speaker", "mine=yes")
    assert "forbidden" in answer.stderr


def test_it_may_read_policies_and_change_none(agent: Agent) -> None:
    policies = agent("speaker").kubectl("get", "gpol")
    assert policies.returncode == 0, policies.stderr
    for verb, resource in (("create", "gpupolicies"), ("patch", "gpupolicies"), ("patch", "gpupolicies/status")):
        assert agent("speaker").kubectl("auth", "can-i", verb, resource).stdout.strip() == "no"
