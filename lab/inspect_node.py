"""What a node itself says of a VM: its QEMU process from /proc, its mdev from sysfs."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from lab.errors import LabError
from lab.node import Node


@dataclass(frozen=True, slots=True)
class Qemu:
    """A QEMU process on a node; `capabilities` is CapEff in hex, the limit is RLIMIT_MEMLOCK in bytes.

    `mdev_uuid` is empty where it has no mediated device.
    """

    pid: int
    uid: int
    capabilities: str
    memlock_bytes: int
    mdev_uuid: str


def qemu_of(node: Node, uuid: str) -> Qemu:
    """The one QEMU that runs with this -uuid; raises LabError when there is none, or two."""
    pids = [pid for pid, argv in qemus(node).items() if uuid in argv]
    if len(pids) != 1:
        raise LabError(f"{node.name} runs {len(pids)} QEMU processes for {uuid}: one was expected")
    pid = pids[0]
    status = dict(line.split(":", 1) for line in _read(node, f"/proc/{pid}/status").splitlines())
    return Qemu(
        pid=pid,
        uid=int(status["Uid"].split()[0]),
        capabilities=status["CapEff"].strip(),
        memlock_bytes=_memlock(_read(node, f"/proc/{pid}/limits")),
        mdev_uuid=_mdev(qemus(node)[pid]),
    )


def qemus(node: Node) -> dict[int, str]:
    """Every QEMU process of a node: pid -> command line."""
    listed = _shell(node, "pgrep -a qemu-system || true")
    return {int(line.split()[0]): line for line in listed.splitlines()}


def mdevs(node: Node) -> list[str]:
    """UUIDs of all mediated devices that exist on the node."""
    return _shell(node, "ls /sys/bus/mdev/devices").split()


def mdev(node: Node, uuid: str) -> dict[str, Any]:
    """A mediated device as the node's kernel shows it; numaNode is None where the kernel knows none."""
    folder = f"/sys/bus/mdev/devices/{uuid}"
    links = _shell(node, f"cd {folder} && readlink -f . mdev_type iommu_group; cat ../numa_node 2>/dev/null || true")
    place, kind, group, *numa = links.split()
    return {
        "parent": PurePosixPath(place).parent.name,
        "type": PurePosixPath(kind).name,
        "mdevUUID": uuid,
        "iommuGroup": int(PurePosixPath(group).name),
        "numaNode": int(numa[0]) if numa and int(numa[0]) >= 0 else None,
    }


def _memlock(limits: str) -> int:
    row = next(line for line in limits.splitlines() if line.startswith("Max locked memory"))
    return int(row.split()[3])


def _mdev(argv: str) -> str:
    marker = "sysfsdev=/sys/bus/mdev/devices/"
    return argv.partition(marker)[2][:36]


def _read(node: Node, path: str) -> str:
    return _shell(node, f"cat {path}")


def _shell(node: Node, script: str) -> str:
    done = node.execute(["sh", "-c", script])
    if done.returncode:
        raise LabError(f"on {node.name}, `{script}`: {done.stderr.decode().strip()}")
    return done.stdout.decode()
