"""Where a QEMU is, read from /proc: the CPUs that each of its threads may run on, the NUMA nodes of its memory.

Sources: proc(5) for status, task and numa_maps. Reading numa_maps walks the page tables of the whole process, some
milliseconds for each GiB in small pages, and QEMU waits where it maps memory meanwhile: so it is read seldom
(`settled`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from libvf_api.residence import MIB, Residence

from libvf_agent.cpus import parsed, ranges
from libvf_agent.sysfs import Sysfs

COMMAND = "qemu-system-x86"  # what is left of its name in comm: 15 characters
_VCPU = re.compile(r"CPU ([0-9]+)/")  # QEMU with -name debug-threads=on
_ON_NODE = re.compile(r" N([0-9]+)=([0-9]+)")
_PAGE = re.compile(r" kernelpagesize_kB=([0-9]+)")
_FILE = re.compile(r" file=(?!/memfd:|/dev/shm/)")


def qemus(sysfs: Sysfs) -> dict[int, str]:
    """Every QEMU of the host, and the cgroup it is in."""
    pids = (name for name in sysfs.names("proc") if name.isascii() and name.isdecimal())
    found = [int(pid) for pid in pids if sysfs.read_or(f"proc/{pid}/comm", "") == COMMAND]
    return {pid: sysfs.read_or(f"proc/{pid}/cgroup", "") for pid in found}


def of_pod(found: dict[int, str], pods: Iterable[str]) -> int | None:
    """The one that is in the cgroup of one of these Pods, by their uids; systemd's names of cgroups have no dashes."""
    names = [name for uid in pods for name in (f"pod{uid}", f"pod{uid.replace('-', '_')}")]
    return next((pid for pid, cgroup in found.items() if any(name in cgroup for name in names)), None)


def touched(sysfs: Sysfs, pid: int) -> int | None:
    """KiB of memory that it has touched, which costs next to nothing to ask; None where it runs no more."""
    if sysfs.read_or(f"proc/{pid}/comm", "") != COMMAND:
        return None
    found = dict(re.findall(r"^(VmRSS|HugetlbPages):\s*([0-9]+) kB", sysfs.read_or(f"proc/{pid}/status", ""), re.M))
    return sum(map(int, found.values())) if found else None


def read(sysfs: Sysfs, pid: int) -> Residence:
    """All of it; a thread that ends meanwhile is left out."""
    vcpus: dict[int, str] = {}
    others: set[int] = set()
    for thread in sysfs.names(f"proc/{pid}/task"):
        folder = f"proc/{pid}/task/{thread}"
        allowed = re.search(r"^Cpus_allowed_list:\s*(\S+)", sysfs.read_or(f"{folder}/status", ""), re.M)
        number = _VCPU.match(sysfs.read_or(f"{folder}/comm", ""))
        if allowed and number:
            vcpus[int(number[1])] = allowed[1]
        elif allowed:
            others.update(parsed(allowed[1]))
    told = tuple(cpus for _, cpus in sorted(vcpus.items()))
    return Residence(told, ranges(others), _memory(sysfs.read_or(f"proc/{pid}/numa_maps", "")))


def _memory(maps: str) -> dict[str, int]:
    """MiB by NUMA node of what no file is behind: pages of programs and libraries are wherever they were read first."""
    found: dict[str, int] = {}
    for line in maps.splitlines():
        page = _PAGE.search(line)
        if page and not _FILE.search(line):
            for node, pages in _ON_NODE.findall(line):
                found[node] = found.get(node, 0) + (int(pages) * int(page[1]) << 10)
    return {node: -(-size // MIB) for node, size in sorted(found.items(), key=lambda item: int(item[0]))}
