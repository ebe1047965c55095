"""The real kernel of a lab node behind `Files`: the agent's own door, called in the agent's own Pod."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from libvf_agent.sysfs import Files, Opener, Sysfs

from lab.binaries import binaries
from lab.testbed import Testbed

# one answer a line; an OSError travels as its number
_SERVER = """
import json, sys
from libvf_agent.sysfs import HostFiles, Sysfs
files = HostFiles()
def openers(*nodes):
    return [(opener.pid, opener.command) for opener in Sysfs(files).openers(*nodes)]
for line in sys.stdin:
    name, arguments = json.loads(line)
    try:
        answer = {"value": openers(*arguments) if name == "openers" else getattr(files, name)(*arguments)}
    except OSError as error:
        answer = {"errno": error.errno}
    print(json.dumps(answer), flush=True)
"""

# linux/vfio.h: VFIO_SET_IOMMU, VFIO_GROUP_SET_CONTAINER, VFIO_GROUP_GET_DEVICE_FD; 1 is VFIO_TYPE1_IOMMU
_HOLDER = """
import fcntl, os, struct, sys
uuid, number = sys.argv[1:]
container = os.open("/dev/vfio/vfio", os.O_RDWR)
group = os.open(f"/dev/vfio/{number}", os.O_RDWR)
fcntl.ioctl(group, 0x3b68, struct.pack("i", container))
fcntl.ioctl(container, 0x3b66, 1)
device = fcntl.ioctl(group, 0x3b6a, bytearray(uuid.encode() + bytes(1)), True)
print("open", flush=True)
sys.stdin.read()
"""


class NodeKernel:
    """Implements `Files` on a node's kernel; a call that the kernel holds up does not hold up others."""

    def __init__(self, bed: Testbed, node: str) -> None:
        self._bed = bed
        self._agent = _agent_on(bed, node)
        self._idle: list[subprocess.Popen[str]] = []
        self._all: list[subprocess.Popen[str]] = []

    def read(self, path: str) -> str:
        """A file's content."""
        return str(self._call("read", path))

    def write(self, path: str, value: str) -> None:
        """One write(2)."""
        self._call("write", path, value)

    def names(self, path: str) -> list[str]:
        """What is in a folder."""
        return list(self._call("names", path))

    def link(self, path: str) -> str:
        """A link's target."""
        return str(self._call("link", path))

    def real(self, path: str) -> str:
        """The path with its links followed."""
        return str(self._call("real", path))

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        return bool(self._call("exists", path))

    def run(self, argv: tuple[str, ...]) -> None:
        """A program of the node."""
        self._call("run", argv)

    def ask(self, argv: tuple[str, ...]) -> str:
        """What a program of the node says."""
        return str(self._call("ask", argv))

    def macs(self, link: str) -> list[str]:
        """The addresses of a card's functions."""
        return list(self._call("macs", link))

    def set_mac(self, link: str, number: int, mac: str) -> None:
        """Another address for one of them."""
        self._call("set_mac", link, number, mac)

    def openers(self, *nodes: str) -> list[Opener]:
        """Who has a device open; asked in one call, as it takes a look at every descriptor of the node."""
        return [Opener(pid, command) for pid, command in self._call("openers", *nodes)]

    @contextmanager
    def held(self, uuid: str) -> Iterator[None]:
        """A process on the node has a mediated device open, as QEMU does."""
        with self._held("mdev", uuid):
            yield

    @contextmanager
    def held_function(self, address: str) -> Iterator[None]:
        """A process on the node has a PCI function open."""
        with self._held("pci", address):
            yield

    @contextmanager
    def _held(self, bus: str, name: str) -> Iterator[None]:
        group = os.path.basename(self.link(f"sys/bus/{bus}/devices/{name}/iommu_group"))
        holder = self._python(_HOLDER, name, group)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        try:
            yield
        finally:
            _end(holder)

    def close(self) -> None:
        """End the helpers in the Pod."""
        for process in self._all:
            _end(process)

    def _call(self, name: str, *arguments: Any) -> Any:
        worker = self._idle.pop() if self._idle else self._python(_SERVER)
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps([name, arguments]) + "\n")
        worker.stdin.flush()
        answer = json.loads(worker.stdout.readline())
        self._idle.append(worker)
        if "errno" in answer:
            raise OSError(answer["errno"], os.strerror(answer["errno"]), arguments[0])
        return answer["value"]

    def _python(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        kubectl = [str(binaries() / "kubectl"), "--kubeconfig", str(self._bed.kubeconfig), "-n", "libvf-system"]
        argv = [*kubectl, "exec", "-i", self._agent, "--", "python3", "-c", program, *arguments]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._all.append(process)
        return process


class NodeSysfs(Sysfs):
    """The agent's door over a node."""

    def __init__(self, kernel: NodeKernel) -> None:
        super().__init__(kernel)
        self._kernel = kernel

    def openers(self, *nodes: str) -> list[Opener]:
        """As the agent finds them in its own Pod."""
        return self._kernel.openers(*nodes) if nodes else []


def door(files: Files) -> Sysfs:
    """The agent's door over either kernel."""
    return NodeSysfs(files) if isinstance(files, NodeKernel) else Sysfs(files)


def _agent_on(bed: Testbed, node: str) -> str:
    selector = ["-l", "app.kubernetes.io/name=libvf-agent", "--field-selector", f"spec.nodeName={node}"]
    return bed.kubectl("-n", "libvf-system", "get", "pods", *selector, "-o", "name").strip()


def _end(process: subprocess.Popen[str]) -> None:
    """Its end of input is its end."""
    if process.stdin and not process.stdin.closed:
        process.stdin.close()
    process.wait(60)
