"""Guest memory on the NUMA node of the guest's CPUs and on another, where this machine has two and KVM.

Emulated NUMA nodes have one memory: that a VM is placed on one of them is proved by the tests, and no figure.
"""

import re
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, NotHere
from lab import cache, initramfs
from lab.accelerator import accelerator
from lab.emulator import qemu
from lab.errors import LabError
from lab.noderoot import debian_root, node_boot
from lab.progress import step

_NODES = Path("/sys/devices/system/node")
_SECONDS = 300
_MIB = 512  # more than any cache
_INIT = f"""\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t tmpfs -o size={_MIB + 64}m tmp /tmp
dd if=/dev/zero of=/tmp/data bs=1M count={_MIB} 2>/dev/null
for n in 1 2 3 4 5 6; do dd if=/tmp/data of=/dev/null bs=1M 2>&1 | tail -n 1; done
poweroff -f
"""
_COPIED = re.compile(r"copied, ([0-9.]+) seconds")


@dataclass(frozen=True, slots=True)
class HostNode:
    """A NUMA node of this machine that has CPUs and memory."""

    number: int
    cpus: str


def host_nodes(folder: Path = _NODES) -> list[HostNode]:
    """Those that a guest could be put on."""
    found = []
    for path in sorted(folder.glob("node[0-9]*"), key=lambda one: int(one.name[4:])):
        cpus = (path / "cpulist").read_text().strip()
        total = re.search(r"MemTotal:\s+(\d+)", (path / "meminfo").read_text())
        if cpus and total and int(total[1]):
            found.append(HostNode(int(path.name[4:]), cpus))
    return found


def run(quick: bool) -> Iterable[Figure]:
    """How fast a guest reads its memory, aligned against not; raises NotHere on a machine that cannot show it."""
    nodes = host_nodes()
    if len(nodes) < 2:
        raise NotHere(f"this machine has {len(nodes)} NUMA node with CPUs and memory: two are needed")
    if accelerator() != "kvm":
        raise NotHere("guests are emulated here, and spend their time there: KVM is needed")
    aligned, crossed = list[float](), list[float]()
    for _ in range(1 if quick else 3):
        aligned.append(bandwidth(nodes[0], nodes[0].number))
        crossed.append(bandwidth(nodes[0], nodes[1].number))
    mine, theirs = statistics.median(aligned), statistics.median(crossed)
    note = f"{mine:.0f} MiB/s against {theirs:.0f} MiB/s by one CPU"
    peer = "memory of another NUMA node than the CPUs"
    yield Figure(name="guest memory bandwidth", value=mine / theirs, unit="x", peer=peer, better="higher", note=note)


def bandwidth(cpus: HostNode | None, memory: int | None) -> float:
    """MiB/s at which a guest reads its memory: on these CPUs, with that node's memory; None leaves it to the host."""
    pinned = ["taskset", "-c", cpus.cpus] if cpus else []
    bound = f",host-nodes={memory},policy=bind" if memory is not None else ""
    size = f"{_MIB + 512}M"
    backend = f"memory-backend-ram,id=ram,size={size},prealloc=on{bound}"
    machine = ["-nodefaults", "-display", "none", "-no-reboot", "-cpu", "max", "-m", size, "-object", backend]
    guest = ["-kernel", node_boot().kernel, "-initrd", _initrd(), "-append", "console=ttyS0 quiet panic=-1"]
    argv = [
        *pinned,
        qemu(),
        "-M",
        f"q35,accel={accelerator()},memory-backend=ram",
        *machine,
        *guest,
        "-serial",
        "stdio",
    ]
    with step(f"a guest on {cpus or 'any CPU'} with memory of {'any node' if memory is None else f'node {memory}'}"):
        done = subprocess.run(
            [str(word) for word in argv], capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS
        )
    return read(done.stdout.decode(errors="replace"))


def read(console: str) -> float:
    """MiB/s, from what the guest printed; its first turn warms up."""
    seconds = [float(found) for found in _COPIED.findall(console)][1:]
    if not seconds:
        raise LabError(f"the guest measured nothing; its last words: {console[-500:]}")
    return _MIB / statistics.median(seconds)


def _initrd() -> Path:
    root = debian_root()
    key = cache.key_of(root.parent.name, _INIT, Path(initramfs.__file__))
    return (
        cache.entry("bench-guest", key, lambda folder: initramfs.build(folder / "initrd", root, [], _INIT)) / "initrd"
    )
