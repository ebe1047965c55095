"""The lab with one node, libvf installed and the peers beside it; it stays up, as after `make demo`."""

import json
import subprocess
from collections.abc import Iterator, Sequence
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
def bed() -> Iterator[Bed]:
    """With no machine in it, before and after."""
    lab = Testbed()
    lab.up(1)
    install(lab)
    empty(lab)
    node = lab.node("n1")
    programs.put(node)
    try:
        yield Bed(lab, node)
    finally:
        empty(lab)


def _answer(argv: Sequence[str], done: subprocess.CompletedProcess[bytes]) -> Any:
    if done.returncode:
        raise CommandFailed(list(argv), done.returncode, done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)
