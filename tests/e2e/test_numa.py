"""Machines on a node with two NUMA nodes: eight are on one each, the ninth fits only across both."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import yaml

from lab.cards import NUMA_NVMES
from lab.demo import condition, get, wait_ready
from lab.inspect_node import qemu_of
from lab.node import Node
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, example, left, until, until_reason
from tests.e2e.test_cards import policy
from tests.e2e.test_cli import vf

pytestmark = [pytest.mark.e2e, pytest.mark.long]

MACHINES = [f"m{number}" for number in range(8)]
SECONDS = 600  # an emulated node
FUNCTIONS = 5  # of each disk: one is left beside four machines
# with what its QEMU may take, four times: a NUMA node has memory for no fifth, and a CPU is left then
FILLING = "448Mi"


@pytest.fixture
def disks(bed: Testbed, numa_node: Node) -> Iterator[Testbed]:
    """A policy that cuts the disk of each NUMA node."""
    count = {"virtualFunctions": {"count": FUNCTIONS}}
    spec = {"cards": {"addresses": list(NUMA_NVMES)}, "modes": ["VirtualFunction"], **count}
    bed.kubectl("apply", "-f", "-", stdin=policy("numa-disks", spec))
    yield bed
    bed.kubectl("delete", "vfvm,gpart,pods", "--all", "--wait", "--timeout=180s")
    bed.kubectl("delete", "gpol", "--all", "--wait")


def machine(name: str, cores: int, memory: str) -> dict[str, Any]:
    """The example's machine, small, and with a function of the disks of this lab."""
    small = {**SMALL, "memory": {"size": memory}}
    wanted = example("numa", **small, cpu={"cores": cores}, gpus=[{"name": "gpu0", "type": "1b36-vf"}])
    wanted["metadata"]["name"] = name
    return wanted


def on(node: Node, script: str) -> str:
    done = node.execute(["sh", "-c", script])
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def told(bed: Testbed, name: str) -> tuple[str | None, str | None]:
    aligned = condition(get(bed, "vfvm", name), "NumaAligned")
    return aligned.get("status"), aligned.get("reason")


def cpus_of_node(node: Node, number: int) -> set[int]:
    first, last = on(node, f"cat /sys/devices/system/node/node{number}/cpulist").split("-")
    return set(range(int(first), int(last) + 1))


def vcpus(node: Node, pid: int) -> list[int]:
    """The CPU that each virtual CPU's thread may run on, by the kernel's own word; a list of several is an error."""
    threads = on(node, f"grep -l '^CPU ' /proc/{pid}/task/*/comm").split()
    lines = (on(node, f"grep Cpus_allowed_list {path.removesuffix('comm')}status") for path in threads)
    return [int(line.split()[1]) for line in lines]


def memory(node: Node, pid: int) -> dict[int, int]:
    """Pages by NUMA node of what no file of the image is behind."""
    pages: Counter[int] = Counter()
    for line in on(node, f"cat /proc/{pid}/numa_maps").splitlines():
        if "file=" not in line or "file=/memfd:" in line:
            pages.update({int(where): int(many) for where, many in re.findall(r" N(\d+)=(\d+)", line)})
    return dict(pages)


def proved(bed: Testbed, node: Node, name: str) -> tuple[int, list[int]]:
    """The NUMA node that all of a machine is on, and its CPUs: read on the node, not from the API."""
    thing = get(bed, "vfvm", name)
    process = qemu_of(node, thing["metadata"]["uid"])
    [where] = memory(node, process.pid)
    pinned = vcpus(node, process.pid)
    assert set(pinned) <= cpus_of_node(node, where)
    argv = on(node, f"tr '\\0' '\\n' < /proc/{process.pid}/cmdline")
    [function] = re.findall(r"host=([0-9a-f]{4}:[0-9a-f:.]{7})", argv)
    assert on(node, f"cat /sys/bus/pci/devices/{function}/numa_node").strip() == str(where)
    assert thing["status"]["numa"]["node"] == where
    return where, pinned


def test_eight_are_each_on_one_numa_node_and_the_ninth_waits_until_it_may_be_on_two(
    disks: Testbed, numa_node: Node
) -> None:
    # one after the other, and then paused: one thread emulates the node's twelve CPUs, and the clock of a guest that
    # does nothing takes a good part of one of them
    for name in MACHINES:
        disks.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(machine(name, 1, FILLING)))
        wait_ready(disks, name, SECONDS)
        vf(disks, "pause", name)
    for name in MACHINES:
        until(partial(told, disks, name), ("True", "Seen"), 300)
    found = [proved(disks, numa_node, name) for name in MACHINES]
    assert Counter(where for where, _ in found) == {0: 4, 1: 4}
    used = [cpu for _, pinned in found for cpu in pinned]
    assert len(used) == len(set(used)) == len(MACHINES)

    disks.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(machine("ninth", 2, "128Mi")))
    words = until_reason(disks, "ninth", "Unschedulable")
    assert "it fits only across two NUMA nodes of n3" in words
    disks.kubectl("patch", "vfvm", "ninth", "--type=merge", "-p", '{"spec": {"numa": {"policy": "Preferred"}}}')
    wait_ready(disks, "ninth", SECONDS)
    until(lambda: told(disks, "ninth"), ("False", "NotBound"))
    assert [proved(disks, numa_node, name) for name in MACHINES] == found

    disks.kubectl("delete", "vfvm", "--all", "--wait")
    until(lambda: left(disks), {})
