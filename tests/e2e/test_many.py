"""Ten machines at once on one node: none takes what is another's."""

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
import yaml

from lab.demo import get, wait_ready
from lab.inspect_node import qemus
from lab.node import Node
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, all_mdevs, declared, left, until

pytestmark = [pytest.mark.e2e, pytest.mark.long]

MACHINES = [f"m{number}" for number in range(10)]
SECONDS = 600  # one emulated CPU starts them all at once


def _declared(number: int) -> dict[str, Any]:
    kind = ("mbochs-small", "mtty-1")[number % 2]
    text = declared(MACHINES[number], **SMALL, gpus=[{"name": "gpu0", "type": kind}])
    machine: dict[str, Any] = yaml.safe_load(text)
    return machine


def _identities(argv: str) -> set[str]:
    """What only one machine of a host may have: its uuid, its name, its mdev."""
    following = dict(pairwise(argv.split()))
    device = next(word for word in argv.split() if "sysfsdev=" in word)
    return {following["-uuid"], following["-name"], device.split("sysfsdev=")[1].split(",")[0]}


def _listening(node: Node) -> set[str]:
    """The host's listening ports, from /proc/net: state 0A."""
    script = "cat /proc/net/tcp /proc/net/tcp6 | while read -r _ local _ state _; do echo $state $local; done"
    lines = node.execute(["sh", "-c", script]).stdout.decode().splitlines()
    return {line.rpartition(":")[2] for line in lines if line.startswith("0A ")}


def _uuid(bed: Testbed, name: str) -> str:
    """What the QEMU behind a machine's own socket says it is."""
    told = bed.kubectl("exec", name, "--", "libvf-launcher", "qmp", "query-uuid")
    return str(json.loads(told)["UUID"])


def test_ten_at_once_share_a_node_without_a_collision(bed: Testbed) -> None:
    node = bed.node("n1")
    ports = _listening(node)
    bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([_declared(number) for number in range(len(MACHINES))]))
    for name in MACHINES:
        wait_ready(bed, name, SECONDS)
    running = qemus(node)
    assert len(running) == len(all_mdevs(bed)) == len(MACHINES)
    seen = Counter(identity for argv in running.values() for identity in _identities(argv))
    assert len(seen) == 3 * len(MACHINES)
    machines = {name: get(bed, "vfvm", name) for name in MACHINES}
    assert {name: _uuid(bed, name) for name in MACHINES} == {n: m["metadata"]["uid"] for n, m in machines.items()}
    assert {machine["status"]["guest"]["restarts"] for machine in machines.values()} == {0}
    assert _listening(node) == ports
    bed.kubectl("delete", "vfvm", "--all", "--wait")
    until(lambda: left(bed), {})
