"""A real QEMU, in emulation, with a cell of this machine's CPUs: the agent reads where its threads are."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from libvf_agent import residence
from libvf_agent.cpus import in_order, ranges
from libvf_agent.sysfs import HostFiles, Sysfs

from tests.unit.launcher.test_cell import prepared
from tests.unit.launcher.test_life import Running, launch

__all__ = ["launch"]

CPUS = sorted(os.sched_getaffinity(0))
CELL = {"kind": "cell", "name": "cell", "claim": "a-cell", "request": "cell"}


@pytest.mark.skipif(len(CPUS) < 2, reason="two CPUs are needed to tell two apart")
def test_each_virtual_cpu_has_a_cpu_of_its_own_and_all_else_the_hosts(
    launch: Callable[..., Running], tmp_path: Path
) -> None:
    own, shared = CPUS[:2], CPUS[2:] or CPUS[:1]
    attributes: dict[str, Any] = {"kind": {"string": "cell"}, "numaNode": {"int": 0}, "threads": {"int": 1}}
    attributes |= {"cpus": {"string": in_order(reversed(own))}, "sharedCpus": {"string": ranges(shared)}}
    prepared(tmp_path / "c", attributes, "a-cell")
    cpu = {"acceleration": "Preferred", "cores": 2}
    machine = launch(devices=(CELL,), numa={"policy": "Aligned"}, cpu=cpu)
    machine.until(machine.paths.ready.exists)
    found = residence.read(Sysfs(HostFiles("/")), int(machine.paths.qemu_pid.read_text()))
    assert found.vcpus == tuple(str(number) for number in reversed(own))
    assert found.others == ranges(shared)
    assert sum(found.memory.values()) > 1
    machine.start("qmp", "quit").wait(60)
