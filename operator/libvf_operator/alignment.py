"""Whether a VM is on one NUMA node: what the scheduler chose, what the agent bound, what was read in /proc. Pure."""

from collections.abc import Mapping

from libvf_api import names, residence
from libvf_api.quantity import of_bytes

from libvf_operator import cell as cells
from libvf_operator import claim as claims
from libvf_operator import installation, numa
from libvf_operator import pod as pods
from libvf_operator.objects import Object
from libvf_operator.status import Conditions

CONDITION = "NumaAligned"
NOT_BOUND, APART, ASTRAY = WITHOUT = ("NotBound", "GpuApart", "Astray")
"""Why a machine that runs is not on one NUMA node."""


def claim_name(machine: Object) -> str | None:
    """The claim that has the VM's cell: that of its slices, or one of its own; None where it asks for none."""
    if not numa.wants_cell(machine["spec"]):
        return None
    attached = pods.attached(machine)
    return pods.partition_of(machine, attached[0]) if attached else f"{machine['metadata']['name']}-{names.CELL}"


def lacking(machine: Object, partitions: Mapping[str, Object]) -> str:
    """Why a partition that the VM names does not go with its numa.policy; empty where it does."""
    spec = installation.spec_now(machine)
    for gpu in pods.attached(machine):
        partition = partitions.get(pods.partition_of(machine, gpu))
        if "partitionRef" in gpu and partition and (words := numa.lacks(partition, spec)):
            return f"GpuPartition {gpu['partitionRef']}: {words}"
    return ""


def tell(machine: Object, seen: Mapping[str, Object], conditions: Conditions, pod: Object | None) -> None:
    """The condition, where the VM asks for a NUMA node; `seen` are claims by name."""
    name = claim_name(machine)
    if name is None:
        conditions.drop(CONDITION)
        return
    claim = seen.get(name)
    if pod is None or not claims.devices(claim):
        conditions.set(CONDITION, None, "NotPrepared", "known when the machine has a node")
        return
    conditions.set(CONDITION, *_verdict(claims.devices(claim)))


def status(machine: Object, seen: Mapping[str, Object]) -> Object | None:
    """status.numa of the VM."""
    data = cells.of(claims.devices(seen.get(claim_name(machine) or "")))
    if data is None or "cpus" not in data:
        return None
    found = residence.of(data.get(names.RESIDENCE)) or residence.Residence()
    read = {
        "pinned": list(found.vcpus),
        "memory": [
            {"node": int(node), "size": of_bytes(size * residence.MIB)} for node, size in sorted(found.memory.items())
        ],
    }
    bound = {"node": data["numaNode"], "cpus": data["cpus"], "sharedCpus": data.get("sharedCpus")}
    return {key: value for key, value in {**bound, **read}.items() if value not in (None, "", [])}


def _verdict(devices: list[Object]) -> tuple[bool | None, str, str]:
    """Whether it is, the reason in one word, and for people."""
    data = cells.of(devices)
    if data is None:
        cure = "it runs as any machine does; a restart takes a NUMA node when one has room"
        return False, NOT_BOUND, f"no NUMA node had its CPUs and its memory: {cure}"
    if "numaNode" not in data:
        return None, "NotPrepared", "known when the host agent has prepared its cell"
    node = int(data["numaNode"])
    slices = [one.get("data") or {} for one in devices if not cells.is_part_of_one(one)]
    cards = [one for one in slices if "parent" in one]  # a virtual GPU is nowhere
    away = {one.get("numaNode") for one in cards} - {node}
    if away:
        told = ", ".join("an unknown NUMA node" if one is None else f"NUMA node {one}" for one in sorted(away, key=str))
        return False, APART, f"its CPUs and memory are on NUMA node {node} and its GPU is on {told}"
    found = residence.of(data.get(names.RESIDENCE))
    if found is None:
        return None, "NotSeen", f"held to NUMA node {node}; the host agent has not yet looked at its QEMU in /proc"
    if words := found.astray(node):
        return False, ASTRAY, f"held to NUMA node {node}, and in /proc: {words}"
    size = of_bytes(sum(found.memory.values()) * residence.MIB)
    what = f"{'GPU, ' if cards else ''}CPUs {', '.join(found.vcpus)} and {size} of memory"
    return True, "Seen", f"{what} are on NUMA node {node}, as /proc has it"
