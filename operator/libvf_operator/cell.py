"""Cells: CPUs and memory of one NUMA node in a claim, beside the slices of GPUs that are to be on it. Pure.

All of it is one claim, so that kube-scheduler decides at once, and only there: what is preferred is a list of
alternatives, and nothing of ours tries one after the other.
"""

from libvf_api import names
from libvf_api.quantity import of_bytes, to_bytes

from libvf_operator.objects import Object

BOUND = "bound"
APART = "-apart"
"""What ends the name of an alternative for slices that may be on another NUMA node than the cell."""

_CAPACITY = {"2Mi": "hugepages2Mi", "1Gi": "hugepages1Gi"}
_KIND = f"{names.DRIVER}/kind"


def preferred(cell: Object) -> bool:
    """Whether it may do without."""
    return bool(cell.get("policy") == "Preferred")


def amounts(cell: Object) -> dict[str, int]:
    """What it takes of a NUMA node by capacity: CPUs and bytes."""
    memory, overhead = to_bytes(cell["memory"]), to_bytes(cell.get("overhead", 0))
    if huge := cell.get("hugepages"):
        return {"cpus": int(cell["cpus"]), _CAPACITY[huge]: memory, **({"memory": overhead} if overhead else {})}
    return {"cpus": int(cell["cpus"]), "memory": memory + overhead}


def request(cell: Object) -> Object:
    """The request of a claim; where a cell is only preferred, a device that stands for none comes second."""
    wanted = {name: str(amount) if name == "cpus" else of_bytes(amount) for name, amount in amounts(cell).items()}
    one = {"allocationMode": "ExactCount", "count": 1}
    bound = {**one, "deviceClassName": names.CELL_CLASS, "capacity": {"requests": wanted}}
    if not preferred(cell):
        return {"name": names.CELL, "exactly": bound}
    floating = {**one, "deviceClassName": names.FLOATING_CLASS}
    return {
        "name": names.CELL,
        "firstAvailable": [{"name": BOUND, **bound}, {"name": names.FLOATING, **floating}],
    }


def constraints(cell: Object, near: list[str]) -> list[Object]:
    """What holds these alternatives of the slices to the cell's NUMA node.

    Where it is only preferred they are not to be taken without a cell either, or the scheduler would do so before it
    tries those that may be apart: a second constraint asks for one kind of device there, which the two are not.
    """
    gpus = [f"{names.GPU_REQUEST}/{alternative}" for alternative in near]
    if not preferred(cell):
        return [{"matchAttribute": names.NUMA_ATTRIBUTE, "requests": [*gpus, names.CELL]}]
    return [
        {"matchAttribute": names.NUMA_ATTRIBUTE, "requests": [*gpus, f"{names.CELL}/{BOUND}"]},
        {"matchAttribute": _KIND, "requests": [*gpus, f"{names.CELL}/{names.FLOATING}"]},
    ]


def of(devices: list[Object]) -> Object | None:
    """The data of the cell among a claim's devices, as the agent tells it; None where there is none."""
    data = (device.get("data") or {} for device in devices)
    return next((dict(one) for one in data if one.get("kind") == names.CELL), None)


def is_part_of_one(device: Object) -> bool:
    """Whether a claim's device is no slice, but a cell or what stands for none."""
    return (device.get("data") or {}).get("kind") in (names.CELL, names.FLOATING)
