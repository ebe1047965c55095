"""The NUMA nodes of a host as its kernel shows them: CPUs with their cores and caches, memory, huge pages.

Sources: Documentation/ABI/stable/sysfs-devices-node, Documentation/admin-guide/cputopology.rst, and
Documentation/ABI/testing/sysfs-devices-system-cpu for caches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from libvf_api.quantity import to_bytes

from libvf_agent.cpus import Cpu, parsed
from libvf_agent.cpus import reserve as set_apart
from libvf_agent.inventory import NumaNode
from libvf_agent.sysfs import Sysfs

NODES = "sys/devices/system/node"
CPUS = "sys/devices/system/cpu"
SETTING = "LIBVF_HOST_RESERVE"


@dataclass(frozen=True, slots=True)
class Reserve:
    """What of each NUMA node no cell gets: so many cores, and bytes of memory.

    The host runs on it, and the threads of QEMU that are no virtual CPU.
    """

    cores: int = 1
    memory: int = 1 << 30


USUAL = Reserve()


def reserve_of(setting: str) -> Reserve:
    """From "cores=2 memory=4Gi"; what is not named stays usual. Raises ValueError with what was expected."""
    words = dict(word.partition("=")[::2] for word in setting.replace(",", " ").split())
    try:
        found = {key: to_bytes(value) for key, value in words.items()}
        return Reserve(**found)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{SETTING}: {setting!r} is not understood: write cores=1 memory=1Gi") from error


def read(sysfs: Sysfs, kept: Reserve) -> tuple[NumaNode, ...]:
    """Every node that has CPUs; `memory` is what is left of its own beside huge pages and the reserve.

    Nodes without CPUs are other memory, such as that of a GPU or behind CXL.
    """
    names = [name for name in sysfs.names(NODES) if re.fullmatch(r"node[0-9]{1,4}", name)]
    isolated = frozenset(parsed(sysfs.read_or(f"{CPUS}/isolated", "")))
    found = (_node(sysfs, int(name[4:]), kept, isolated) for name in names)
    return tuple(sorted((node for node in found if node.cpus), key=lambda node: node.number))


def _node(sysfs: Sysfs, number: int, kept: Reserve, isolated: frozenset[int]) -> NumaNode:
    folder = f"{NODES}/node{number}"
    cpus = tuple(_cpu(sysfs, cpu) for cpu in parsed(sysfs.read_or(f"{folder}/cpulist", "")))
    pages = _pages(sysfs, folder)
    total = re.search(r"MemTotal:\s*([0-9]+) kB", sysfs.read_or(f"{folder}/meminfo", ""))
    plain = ((int(total[1]) if total else 0) - sum(size * count for size, count in pages.items())) << 10
    return NumaNode(number, cpus, set_apart(cpus, kept.cores, isolated), max(0, plain - kept.memory), pages)


def _cpu(sysfs: Sysfs, number: int) -> Cpu:
    """One that is offline tells no core: it is in no node's cpulist then."""
    folder = f"{CPUS}/cpu{number}"
    siblings = parsed(sysfs.read_or(f"{folder}/topology/thread_siblings_list", ""))
    last = max((name for name in sysfs.names(f"{folder}/cache") if re.fullmatch(r"index[0-9]", name)), default="index0")
    beside = parsed(sysfs.read_or(f"{folder}/cache/{last}/shared_cpu_list", ""))
    return Cpu(number, min(siblings, default=number), min(beside, default=number) if beside else -1)


def _pages(sysfs: Sysfs, folder: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for name in sysfs.names(f"{folder}/hugepages"):
        size = re.fullmatch(r"hugepages-([0-9]{1,9})kB", name)
        count = sysfs.read_or(f"{folder}/hugepages/{name}/nr_hugepages", "0")
        if size and count.isascii() and count.isdecimal():
            found[int(size[1])] = int(count)
    return found
