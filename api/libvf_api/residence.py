"""Where a QEMU really is: the CPUs that its threads may run on and the NUMA nodes of its memory, as read from /proc.

The agent reads it and tells it with the claim's cell; the operator says from it whether a machine is where it belongs.
"""

from typing import Any

import msgspec

from libvf_api.quantity import of_bytes

MIB = 1 << 20


class Residence(msgspec.Struct, frozen=True, omit_defaults=True):
    """CPUs as the kernel lists them: of each virtual CPU's thread, and of all other threads together.

    `memory` is in MiB by NUMA node: what QEMU has touched that no file is behind.
    """

    vcpus: tuple[str, ...] = ()
    others: str = ""
    memory: dict[str, int] = {}

    def astray(self, node: int) -> str:
        """What is not as it should be for a machine held to that node; empty where all is.

        Each virtual CPU has one CPU, which no other has, and all memory is on the node.
        """
        if not self.vcpus or not self.memory:
            return "no virtual CPU or no memory was found"
        loose = [cpus for cpus in self.vcpus if not cpus.isdecimal()]
        if loose:
            return f"{len(loose)} of {len(self.vcpus)} virtual CPUs may run on several CPUs ({loose[0]})"
        if len(set(self.vcpus)) < len(self.vcpus):
            return f"{len(self.vcpus)} virtual CPUs share {len(set(self.vcpus))} CPUs"
        away = {there: size for there, size in self.memory.items() if there != str(node)}
        told = ", ".join(f"{of_bytes(size * MIB)} on NUMA node {there}" for there, size in sorted(away.items()))
        return f"of its memory {told}" if told else ""

    def is_news(self, before: "Residence") -> bool:
        """Whether it says something else than before; that more memory was touched where some was is none."""
        return (self.vcpus, self.others, self.memory.keys()) != (before.vcpus, before.others, before.memory.keys())


def plain(found: Residence) -> dict[str, Any]:
    """As JSON has it, to be compared with what the API server keeps."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return told


def of(data: Any) -> Residence | None:
    """What the data of a claim's device has of it; None where there is none that is understood."""
    try:
        return msgspec.convert(data, Residence) if data else None
    except msgspec.ValidationError:
        return None
