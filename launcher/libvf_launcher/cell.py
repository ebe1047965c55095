"""The VM's cell: CPUs and memory of one NUMA node that the node's agent keeps for it.

The container is held to them by its cpuset, memory too; which of its threads runs on which of these CPUs is ours.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """`cpus` are its own, in the order for virtual CPUs; `shared` are the host's, for all else that QEMU does.

    `threads` is how many of its CPUs are one core, all of which it has; `topoext` whether a guest must be told of
    threads in AMD's way.
    """

    node: int
    cpus: tuple[int, ...]
    shared: tuple[int, ...] = ()
    threads: int = 1
    topoext: bool = False

    def beside(self, vcpus: int) -> frozenset[int]:
        """The CPUs for what is no virtual CPU: those that no virtual one has, or all where none is left."""
        return frozenset((*self.cpus[vcpus:], *self.shared)) or frozenset(self.cpus)
