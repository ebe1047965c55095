"""Where a QEMU is: what of /proc is read, when, and what is told of it."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from libvf_agent import residence
from libvf_agent.claims import ClaimRef
from libvf_agent.cpus import ranges
from libvf_agent.driver import Driver
from libvf_agent.settled import AGAIN_SECONDS, LATEST_SECONDS, SOONER_SECONDS, Watched
from libvf_agent.sysfs import HostFiles, Sysfs
from libvf_agent.whereabouts import Whereabouts
from libvf_api.residence import Residence

from tests.fakekernel.host import FakeHost
from tests.unit.agent.cells import Bed
from tests.unit.agent.plugged import Cluster

UID, POD = "0a1b2c3d-0000-4000-8000-000000000001", "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb"
SLICE = "kubepods-burstable-podaaaaaaaa_1111_4222_8333_bbbbbbbbbbbb.slice"
CGROUP = f"0::/kubepods.slice/kubepods-burstable.slice/{SLICE}/cri-containerd-0123.scope"
MAPS = """\
55d0 default file=/usr/bin/qemu-system-x86_64 mapped=900 N0=900 kernelpagesize_kB=4
55d1 default heap anon=512 dirty=512 active=0 N1=512 kernelpagesize_kB=4
7f00 default anon=25600 dirty=25600 N1=25600 kernelpagesize_kB=4
7f01 default file=/memfd:ram\\040(deleted) huge dirty=64 N1=64 kernelpagesize_kB=2048
7f02 default file=/usr/lib/libc.so.6 anon=3 mapped=90 N0=90 kernelpagesize_kB=4
7f03 default stack anon=3 dirty=3 N1=3 kernelpagesize_kB=4
"""


def qemu(kernel: FakeHost, pid: int = 77, cgroup: str = CGROUP, maps: str = MAPS, kib: int = 100000) -> None:
    """A QEMU with two virtual CPUs and two other threads."""
    kernel.tree.text(f"proc/{pid}/comm", "qemu-system-x86")
    kernel.tree.text(f"proc/{pid}/cgroup", cgroup)
    kernel.tree.text(f"proc/{pid}/status", f"Name:\tqemu\nVmRSS:\t  {kib} kB\nHugetlbPages:\t 0 kB")
    kernel.tree.text(f"proc/{pid}/numa_maps", maps.rstrip())
    threads = {pid: ("qemu-system-x86", "4"), 78: ("CPU 1/KVM", "6"), 79: ("CPU 0/KVM", "5"), 80: ("worker", "4,12")}
    for thread, (name, cpus) in threads.items():
        kernel.tree.text(f"proc/{pid}/task/{thread}/comm", name)
        kernel.tree.text(f"proc/{pid}/task/{thread}/status", f"Name:\t{name}\nCpus_allowed_list:\t{cpus}\nMems: 1")


SEEN = Residence(("5", "6"), "4,12", {"1": 231})


def test_threads_and_memory_are_read_and_pages_of_files_left_out() -> None:
    kernel = FakeHost()
    qemu(kernel)
    assert residence.read(Sysfs(kernel), 77) == SEEN
    assert residence.touched(Sysfs(kernel), 77) == 100000
    assert residence.touched(Sysfs(kernel), 78) is None


@pytest.mark.parametrize("cgroup", [CGROUP, f"0::/kubepods/burstable/pod{POD}/0123"])
def test_a_qemu_is_found_by_the_cgroup_of_its_pod(cgroup: str) -> None:
    kernel = FakeHost()
    qemu(kernel, 90, "0::/user.slice")
    qemu(kernel, 77, cgroup)
    kernel.tree.text("proc/91/comm", "bash")
    found = residence.qemus(Sysfs(kernel))
    assert set(found) == {77, 90}
    assert residence.of_pod(found, (POD,)) == 77
    assert residence.of_pod(found, ("another",)) is None


def test_it_is_looked_at_when_it_has_settled_and_seldom_then() -> None:
    watched = Watched(77, since=0).glanced(1000, 0)
    assert not watched.is_due(0)
    watched = watched.glanced(5000, 15)
    assert not watched.is_due(15)
    watched = watched.glanced(5050, 30)
    assert watched.is_due(30)
    well, badly = watched.looked(30, well=True), watched.looked(30, well=False)
    assert not well.glanced(9000, 45).is_due(45)
    assert well.is_due(30 + AGAIN_SECONDS)
    assert badly.is_due(30 + SOONER_SECONDS)


def test_one_that_grows_and_grows_is_looked_at_all_the_same() -> None:
    watched = Watched(77, since=0).glanced(1000, 0).glanced(9000, LATEST_SECONDS)
    assert watched.is_due(LATEST_SECONDS)


class Placed:
    """A claim with a cell, prepared and reserved for a Pod, and who looks at it."""

    def __init__(self, folder: Path) -> None:
        self.bed, self.cluster = Bed(folder), Cluster()
        self.driver = Driver(self.bed.host, self.cluster, call_seconds=1)
        consumed = {"cpus": "2", "memory": "1Gi"}
        request = {"request": "cell", "pool": "n1-cell", "device": "node1", "consumedCapacity": consumed}
        self.cluster.allocate("desk-gpu0", UID, request)
        self.document()["status"]["reservedFor"] = [{"resource": "pods", "name": "desk", "uid": POD}]

    def document(self) -> dict[str, Any]:
        """The claim as the API server has it."""
        found: dict[str, Any] = self.cluster.claims["ns", "desk-gpu0"]
        return found

    def told(self) -> Any:
        """What its cell's data says of its QEMU."""
        [device] = self.document()["status"]["devices"]
        return device["data"].get("residence")

    async def prepare(self) -> None:
        await self.driver.prepare(ClaimRef("ns", "desk-gpu0", UID))


async def test_what_was_seen_is_told_with_the_claim_and_again_after_it_was_prepared_anew(tmp_path: Path) -> None:
    placed = Placed(tmp_path)
    await placed.prepare()
    await placed.driver.whereabouts.look()
    assert placed.told() is None
    qemu(placed.bed.kernel)
    for _ in range(2):
        assert placed.told() is None
        await placed.driver.whereabouts.look()
    assert placed.told() == {"vcpus": ["5", "6"], "others": "4,12", "memory": {"1": 231}}
    await placed.prepare()
    assert placed.told() is None
    for _ in range(2):
        await placed.driver.whereabouts.look()
    assert placed.told() is not None


async def test_another_qemu_of_the_pod_is_looked_at_anew(tmp_path: Path) -> None:
    placed = Placed(tmp_path)
    await placed.prepare()
    qemu(placed.bed.kernel)
    for _ in range(2):
        await placed.driver.whereabouts.look()
    placed.bed.kernel.tree.drop("proc/77")
    qemu(placed.bed.kernel, 99, maps="7f00 default anon=512 N0=512 kernelpagesize_kB=4")
    for _ in range(3):
        await placed.driver.whereabouts.look()
    assert placed.told()["memory"] == {"0": 2}


async def test_a_claim_that_is_no_machines_costs_a_look_at_process_names_alone(tmp_path: Path) -> None:
    placed = Placed(tmp_path)
    await placed.prepare()
    asked: list[tuple[str, str]] = []

    class Counting(Cluster):
        async def claim(self, namespace: str, name: str) -> Any:
            asked.append((namespace, name))
            return await super().claim(namespace, name)

    counting = Counting()
    counting.claims = placed.cluster.claims
    whereabouts = Whereabouts(placed.bed.host, counting, lambda _: asyncio.Lock())
    qemu(placed.bed.kernel, 90, "0::/somebody/elses")
    for _ in range(5):
        await whereabouts.look()
    assert asked == [("ns", "desk-gpu0")]


@pytest.mark.skipif(not Path("/proc/self/numa_maps").exists(), reason="this kernel has no NUMA")
def test_the_kernels_own_files_are_read_as_they_are() -> None:
    found = residence.read(Sysfs(HostFiles("/")), os.getpid())
    assert found.others == ranges(os.sched_getaffinity(0))
    assert sum(found.memory.values()) > 1
    assert found.vcpus == ()
