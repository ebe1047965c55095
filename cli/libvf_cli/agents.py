"""The agents of the cluster, one on each node, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import msgspec
from libvf_api.names import AGENT_CONTAINER, AGENT_SELECTOR, NAMESPACE

from libvf_cli.errors import BadAnswer, CliError, KubectlFailed, NoAgent
from libvf_cli.kubectl import Json, Kubectl

AT_ONCE = 8
SECONDS = 180.0
"""A program in a Pod starts slowly on a node that is full; who asks it waits rather than hears nothing of the node."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent's Pod and its node; `trouble` says why it can not be asked, empty where it can."""

    node: str
    pod: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What one node answered, or why it did not."""

    node: str
    answer: T | None = None
    error: str = ""


def found(kubectl: Kubectl, node: str | None) -> tuple[Agent, ...]:
    """The agents by node, or the one of `node`; NoAgent where there is none."""
    pods = kubectl.get("pods", f"--namespace={NAMESPACE}", f"--selector={AGENT_SELECTOR}").get("items") or []
    agents = _by_node(pods)
    if not agents:
        raise NoAgent(
            f"no Pod with label {AGENT_SELECTOR} in namespace {NAMESPACE}: install libvf, "
            "kubectl apply -k manifests/overlays/default, or name another cluster with --context"
        )
    if node is None:
        return agents
    here = tuple(agent for agent in agents if agent.node == node)
    if not here:
        names = ", ".join(agent.node for agent in agents)
        raise NoAgent(f"no agent on node {node}: name one of {names}")
    return here


def ask(
    kubectl: Kubectl, agents: Iterable[Agent], kind: type[T], command: Callable[[Agent], tuple[str, ...]]
) -> tuple[Told[T], ...]:
    """Runs the agent's own command in each Pod, some at once; one that fails does not hide the others."""

    def one(agent: Agent) -> Told[T]:
        try:
            return Told(agent.node, _answer(kubectl, agent, kind, command(agent)))
        except CliError as error:
            return Told(agent.node, error=str(error))

    with ThreadPoolExecutor(AT_ONCE) as workers:
        return tuple(workers.map(one, agents))


def fetch(kubectl: Kubectl, agent: Agent, *command: str) -> bytes:
    """What the agent's own command writes to its standard output; it must end with 0."""
    return _patient(kubectl).fetch("exec", *_within(agent), *command)


def _patient(kubectl: Kubectl) -> Kubectl:
    return replace(kubectl, seconds=max(kubectl.seconds, SECONDS))


def _by_node(pods: Iterable[Json]) -> tuple[Agent, ...]:
    """One for each node: while a DaemonSet is updated an old Pod may still be ending beside the new one."""
    agents: dict[str, Agent] = {}
    for agent in sorted((_agent(pod) for pod in pods), key=lambda one: (one.node, not one.trouble)):
        agents[agent.node] = agent
    agents.pop("", None)
    return tuple(agents.values())


def _agent(pod: Json) -> Agent:
    name, node = pod["metadata"]["name"], pod.get("spec", {}).get("nodeName", "")
    phase = pod.get("status", {}).get("phase", "Unknown")
    if pod["metadata"].get("deletionTimestamp"):
        phase = "ending"
    if phase == "Running":
        return Agent(node, name)
    trouble = f"the agent's Pod {name} is {phase}: kubectl describe pod --namespace={NAMESPACE} {name}"
    return Agent(node, name, trouble)


def _within(agent: Agent) -> tuple[str, ...]:
    """Where an agent's command runs; NoAgent where it can not."""
    if agent.trouble:
        raise NoAgent(agent.trouble)
    place = (agent.pod, f"--namespace={NAMESPACE}", f"--container={AGENT_CONTAINER}")
    return (*place, "--", "python3", "-m", "libvf_agent")


def _answer(kubectl: Kubectl, agent: Agent, kind: type[T], command: tuple[str, ...]) -> T:
    """The report is what counts: `doctor` ends with 1 where it found something, and tells it all the same."""
    answer = _patient(kubectl).call("exec", *_within(agent), *command, "--output", "json")
    try:
        return msgspec.json.decode(answer.output, type=kind)
    except msgspec.MsgspecError as error:
        if answer.code:
            raise KubectlFailed(
                f"kubectl exec in {agent.pod}: {answer.errors or f'exit code {answer.code}'}"
            ) from error
        raise BadAnswer(
            f"{agent.pod} answered what this kubectl-vf does not understand ({error}): use the one of the "
            "same version as the agent"
        ) from error
