"""What a node VM is made of: CPUs and memory, on one NUMA node or on several, each with a card of its own."""

from dataclasses import dataclass

from lab.cards import CARDS, numa_cards

# Linux patches its own code (static keys) whenever a guest comes or goes. QEMU emulates CPUs in parallel, and one may
# go on executing what another has just patched: an int3 that nobody knows, and the node panics or resets. A single
# emulated CPU cannot race itself, nor can several that one thread emulates in turn.
_CPUS = {"kvm": 2, "tcg": 1}
_NEAR, _FAR = 10, 20  # distances as firmware tells them (ACPI SLIT)


@dataclass(frozen=True, slots=True)
class Shape:
    """`cpus` and `memory_mib` are those of each NUMA node; 0 CPUs are as many as the accelerator is good for."""

    numa_nodes: int = 1
    cpus: int = 0
    memory_mib: int = 8192

    def arguments(self, accelerator: str) -> list[str]:
        """QEMU's words for it."""
        if self.numa_nodes == 1:
            cpus = self.cpus or _CPUS[accelerator]
            return ["-accel", accelerator, "-smp", str(cpus), "-m", str(self.memory_mib), *CARDS]
        one_thread = ",thread=single" if accelerator == "tcg" else ""
        # a socket each: CPUs that share a cache over two nodes would be a machine that Linux does not believe in
        sockets = f"{self.numa_nodes * self.cpus},sockets={self.numa_nodes},cores={self.cpus},threads=1"
        return [
            *("-accel", f"{accelerator}{one_thread}"),
            *("-smp", sockets, "-m", str(self.numa_nodes * self.memory_mib)),
            *(word for number in range(self.numa_nodes) for word in self._node(number)),
            *(word for one in range(self.numa_nodes) for word in self._distances(one)),
            *numa_cards(self.numa_nodes),
        ]

    def _node(self, number: int) -> list[str]:
        first = number * self.cpus
        cpus = f"cpus={first}-{first + self.cpus - 1}"
        return [
            *("-object", f"memory-backend-ram,id=mem{number},size={self.memory_mib}M"),
            *("-numa", f"node,nodeid={number},{cpus},memdev=mem{number}"),
        ]

    def _distances(self, one: int) -> list[str]:
        others = range(self.numa_nodes)
        told = (f"dist,src={one},dst={other},val={_NEAR if one == other else _FAR}" for other in others)
        return [word for distance in told for word in ("-numa", distance)]


PLAIN = Shape()
# on each: a core for the host, four machines of one CPU, and one CPU that is left over
NUMA = Shape(numa_nodes=2, cpus=6, memory_mib=4096)
