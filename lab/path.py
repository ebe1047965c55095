"""The path that a request took, from the VirtualMachine down to the kernel's device; each step read back."""

from dataclasses import dataclass
from typing import Any

from lab.inspect_node import Qemu

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """What the API and the node say of one VM with one GPU."""

    machine: Object
    partition: Object
    claim: Object
    pod: Object
    device: Object
    process: Qemu


def told(taken: Taken) -> str:
    """The path as text, one line a step, and on each line who took it."""
    rows = [_machine(taken), _partition(taken), _claim(taken), _carved(taken), _pod(taken), _qemu(taken)]
    width = max(len(what) for _, what, _ in rows)
    return "\n".join(f"  {who:<15} {what:<{width}}  {outcome}" for who, what, outcome in rows)


Row = tuple[str, str, str]


def _machine(taken: Taken) -> Row:
    [gpu] = taken.machine["spec"]["gpus"]
    wish = ", ".join(f"{key} {value}" for key, value in gpu.items() if key != "name")
    return "kubectl apply", f"VirtualMachine/{taken.machine['metadata']['name']}", f"wants {gpu['name']}: {wish}"


def _partition(taken: Taken) -> Row:
    meta, status = taken.partition["metadata"], taken.partition["status"]
    return "operator", f"GpuPartition/{meta['name']}", f"consumer {status['consumer']}"


def _claim(taken: Taken) -> Row:
    [result] = taken.claim["status"]["allocation"]["devices"]["results"]
    name = taken.claim["metadata"]["name"]
    return "kube-scheduler", f"ResourceClaim/{name}", f"{result['device']} of pool {result['pool']}"


def _carved(taken: Taken) -> Row:
    device = taken.device
    place = f"{device['type']} on {device['parent']}, IOMMU group {device['iommuGroup']}"
    return "host agent", f"mdev {device['mdevUUID']}", place


def _pod(taken: Taken) -> Row:
    pod = taken.pod
    status = pod["status"]["containerStatuses"][0]
    return "kubelet", f"Pod/{pod['metadata']['name']}", f"on {pod['spec']['nodeName']}, image {status['image']}"


def _qemu(taken: Taken) -> Row:
    process = taken.process
    rights = f"uid {process.uid}, capabilities {process.capabilities}, memlock {process.memlock_bytes >> 20} MiB"
    return "launcher", f"QEMU, pid {process.pid} on the node", rights
