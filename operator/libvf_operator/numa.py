"""A VM's wish to be on one NUMA node (spec.numa): the cell that it asks for, and what of one is told. Pure."""

import math
from typing import Any

from libvf_api.quantity import of_bytes, to_bytes

from libvf_operator.objects import Object
from libvf_operator.parts import memory, sharedmemory

EMULATOR_MILLICPUS = 100
"""What all threads of QEMU that are no virtual CPU are reckoned to take: they share the CPUs of the host's reserve."""

_MIB = 1 << 20


def policy(spec: Object) -> str:
    """Aligned, Preferred or None."""
    return str((spec.get("numa") or {}).get("policy") or "None")


def wants_cell(spec: Object) -> bool:
    """Whether it asks for CPUs and memory of a NUMA node."""
    return policy(spec) != "None"


def gpus(spec: Object) -> list[Object]:
    """The GPUs that it has while it runs: one whose graphics are disabled leaves them to others."""
    return [] if spec.get("graphics", {}).get("mode") == "Disabled" else list(spec.get("gpus", []))


def cpus(spec: Object) -> int:
    """How many virtual CPUs it has."""
    cpu = spec.get("cpu", {})
    return int(cpu.get("cores", 1)) * int(cpu.get("sockets", 1)) * int(cpu.get("threads", 1))


def cell(spec: Object) -> Object:
    """A CPU for each virtual one, the guest's memory, and beside it all that its Pod may take more than that."""
    preferred = {"policy": "Preferred"} if policy(spec) == "Preferred" else {}
    huge = spec["memory"].get("hugepages")
    return {
        "cpus": cpus(spec),
        "memory": of_bytes(to_bytes(spec["memory"]["size"])),
        "overhead": f"{overhead(spec) // _MIB}Mi",
        **({"hugepages": huge} if huge else {}),
        **preferred,
    }


def overhead(spec: Object) -> int:
    """Bytes of the Pod's memory that are not the guest's, in whole MiB."""
    parts = memory.part(spec).memory + sharedmemory.part(spec).memory
    guest = 0 if spec["memory"].get("hugepages") else to_bytes(spec["memory"]["size"])
    return math.ceil((parts - guest) / _MIB) * _MIB


def lacks(partition: Object, spec: Object) -> str:
    """What the cell of a partition lacks for a VM, or what the VM does not ask for; empty where both agree."""
    there = partition["spec"].get("cell")
    if not wants_cell(spec):
        return "it has a cell, so its consumer must ask for one too: set spec.numa.policy to Aligned" if there else ""
    wanted = cell(spec)
    whole = f"cell: {{cpus: {wanted['cpus']}, memory: {wanted['memory']}, overhead: {wanted['overhead']}}}"
    if there is None:
        return f"it has no cell to be aligned with: make it anew with {whole}"
    if there.get("policy", "Aligned") != policy(spec):
        return (
            f"its cell is {there.get('policy', 'Aligned')} and spec.numa.policy is {policy(spec)}: make them the same"
        )
    if there.get("hugepages") != wanted.get("hugepages"):
        return "its cell has other pages than spec.memory.hugepages: make them the same"
    few = [name for name in ("cpus", "memory", "overhead") if _number(there, name) < _number(wanted, name)]
    return f"its cell has too little {few[0]} for this machine: make it anew with {whole}" if few else ""


def told(data: Object | None) -> Object | None:
    """What a partition's status has of its cell."""
    if data is None:
        return None
    return {key: data[key] for key in ("numaNode", "cpus", "sharedCpus") if key in data}


def _number(of: Object, name: str) -> int:
    value: Any = of.get(name, 0)
    return to_bytes(value)
