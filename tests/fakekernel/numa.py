"""A host's CPUs and memory by NUMA node, as drivers/base/node.c and drivers/base/topology.c show them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.fakekernel.host import NODES, FakeHost

CPUS = "sys/devices/system/cpu"


@dataclass(frozen=True)
class Shape:
    """Each node's cores, with so many threads; `cached` cores share a last cache. Memory in KiB, pages by their size.

    CPUs are numbered as on most machines: the first thread of every core of the host, then the second ones.
    """

    nodes: int = 2
    cores: int = 4
    threads: int = 1
    cached: int = 0
    memory: int = 8 << 20
    pages: dict[int, int] = field(default_factory=dict)

    def cpus(self, node: int) -> list[list[int]]:
        """A node's cores, each as its CPUs."""
        total = self.nodes * self.cores
        return [[node * self.cores + n + t * total for t in range(self.threads)] for n in range(self.cores)]


def put(host: FakeHost, shape: Shape) -> None:
    """The files of a host with this shape."""
    for node in range(shape.nodes):
        cores, folder = shape.cpus(node), f"{NODES}/node{node}"
        host.tree.text(f"{folder}/cpulist", _listed(cpu for core in cores for cpu in core))
        host.tree.text(f"{folder}/meminfo", f"Node {node} MemTotal:       {shape.memory} kB\nNode {node} MemFree: 1 kB")
        for size, count in shape.pages.items():
            host.tree.text(f"{folder}/hugepages/hugepages-{size}kB/nr_hugepages", str(count))
        beside = shape.cached or shape.cores
        for number, core in enumerate(cores):
            first = number - number % beside
            shared = _listed(cpu for one in cores[first : first + beside] for cpu in one)
            for cpu in core:
                host.tree.text(f"{CPUS}/cpu{cpu}/topology/thread_siblings_list", _listed(core))
                host.tree.text(f"{CPUS}/cpu{cpu}/cache/index0/shared_cpu_list", _listed(core))
                host.tree.text(f"{CPUS}/cpu{cpu}/cache/index3/shared_cpu_list", shared)


def _listed(cpus) -> str:  # type: ignore[no-untyped-def]
    return ",".join(map(str, sorted(cpus)))
