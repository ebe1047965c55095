"""The lab with one node, libvf installed and the peers beside it; it stays up, as after `make demo`."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libvf_api.names import AGENT_CONTAINER, AGENT_SELECTOR, NAMESPACE

from bench.innode import programs
from lab.binaries import binaries
from lab.demo import install
from lab.errors import CommandFailed
from lab.node import Node
from lab.testbed import Testbed
from tests.e2e.machines import empty

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Bed:
    """The lab, and its one node."""

    lab: Testbed
    node: Node

    def script(self, name: str, *arguments: str) -> Any:
        """What a script of ours prints as JSON, run on the node by the Python that was sent there."""
        argv = ["chroot", programs.PLACE, "python3", "-", *arguments]
        done = self.node.execute(argv, stdin=(SCRIPTS / f"{name}.py").read_bytes())
        return _answer(argv, done)

    def in_agent(self, name: str, *arguments: str) -> Any:
        """The same in the container of the node's host agent, with its Python."""
        [pod] = self.lab.kubectl("-n", NAMESPACE, "get", "pods", "-l", AGENT_SELECTOR, "-o", "name").split()
        kubectl = [str(binaries() / "kubectl"), "--kubeconfig", str(self.lab.kubeconfig), "-n", NAMESPACE]
        argv = [*kubectl, "exec", "-i", pod, "-c", AGENT_CONTAINER, "--", "python3", "-", *arguments]
        done = subprocess.run(argv, input=(SCRIPTS / f"{name}.py").read_bytes(), capture_output=True)
        return _answer(argv, done)


@contextmanager
def coming_up() -> Iterator[None]:
    """The lab comes up meanwhile; where it does not, the topic that needs it says why."""

    def up() -> None:
        lab = Testbed()
        with programs.plugged(lab.node("n1")):
            lab.up(1)
            install(lab)

    with ThreadPoolExecutor(1) as beside:
        beside.submit(up)
        yield


def switch_off() -> None:
    """End the lab's nodes, where any runs: what follows has the machine for itself."""
    lab = Testbed()
    if any(node.daemon.running() for node in lab.nodes()):
        lab.down()


@contextmanager
def bed() -> Iterator[Bed]:
    """With no machine in it, before and after."""
    lab = Testbed()
    node = lab.node("n1")
    with programs.plugged(node):
        lab.up(1)
        install(lab)
        empty(lab)
        programs.enter(node)
        try:
            yield Bed(lab, node)
        finally:
            empty(lab)


def _answer(argv: Sequence[str], done: subprocess.CompletedProcess[bytes]) -> Any:
    if done.returncode:
        raise CommandFailed(list(argv), done.returncode, done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)
