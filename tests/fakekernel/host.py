"""A host whose kernel is fake: one tree of files, processes that hold devices open, and what a reboot loses."""

from __future__ import annotations

import errno
import itertools
import threading
import uuid as uuids
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.fakekernel.tree import File, Folder, Link, Tree, fail

BOOT_ID = "proc/sys/kernel/random/boot_id"
NODES = "sys/devices/system/node"


@dataclass
class Process:
    """A process and the device nodes it holds open; a hidden one is in a pid namespace that we cannot look into."""

    command: str
    nodes: list[str]
    hidden: bool = False


class Part(Protocol):
    """A part of the kernel that loses its state at a reboot."""

    def reboot(self) -> None: ...


class Network(Protocol):
    """A link whose card has virtual functions."""

    def macs(self) -> list[str]: ...
    def set_mac(self, number: int, mac: str) -> None: ...


class FakeHost:
    """Implements `Files`. `around` is called before and after each write, and may raise to kill the agent."""

    def __init__(self, numa_nodes: int = 1) -> None:
        self.tree = Tree()
        self.processes: dict[int, Process] = {}
        self.parts: list[Part] = []
        self.programs: dict[str, Callable[[tuple[str, ...]], None]] = {}
        self.answers: dict[str, Callable[[tuple[str, ...]], str]] = {}
        self.networks: dict[str, Network] = {}
        self.around: Callable[[], None] = lambda: None
        self._boot_id = str(uuids.uuid4())
        self._groups: set[int] = set()
        self._closed = threading.Condition()
        self.tree.put(BOOT_ID, File(read=lambda: self._boot_id + "\n"))
        for number in range(numa_nodes):
            self.tree.put(f"{NODES}/node{number}", Folder())

    @property
    def boot_id(self) -> str:
        """Another after each reboot."""
        return self._boot_id

    # what a test does to the machine

    def reboot(self) -> None:
        """All processes are gone, and all that parts of the kernel hold in memory."""
        for pid in list(self.processes):
            self.close(pid)
        for part in self.parts:
            part.reboot()
        self._boot_id = str(uuids.uuid4())

    def open(self, node: str, pid: int = 4711, command: str = "qemu-system-x86", hidden: bool = False) -> None:
        """A process opens a device node, such as /dev/vfio/3."""
        self.processes[pid] = Process(command, [node], hidden)
        if not hidden:
            self.tree.text(f"proc/{pid}/comm", command)
            self.tree.put(f"proc/{pid}/fd/3", Link(node.removeprefix("/")))
            self.tree.put(node.removeprefix("/"), File())

    def close(self, pid: int = 4711) -> None:
        """The process ends; whoever waits for its device goes on."""
        with self._closed:
            self.processes.pop(pid, None)
            self.tree.drop(f"proc/{pid}")
            self._closed.notify_all()

    # what parts of the kernel ask for

    def is_open(self, node: str) -> bool:
        """Whether some process holds the node."""
        return any(node in process.nodes for process in self.processes.values())

    def wait_closed(self, node: str) -> None:
        """Block for as long as somebody holds the node, as the kernel does."""
        with self._closed:
            self._closed.wait_for(lambda: not self.is_open(node))

    def new_group(self) -> int:
        """An IOMMU group: the lowest number that is free, as the kernel's own allocator gives."""
        number = next(n for n in itertools.count() if n not in self._groups)
        self._groups.add(number)
        return number

    def drop_group(self, number: int) -> None:
        """Give a group back."""
        self._groups.discard(number)

    # Files

    def read(self, path: str) -> str:
        """A file's content."""
        return self.tree.read(path)

    def write(self, path: str, value: str) -> None:
        """One write(2)."""
        self.around()
        self.tree.write(path, value)
        self.around()

    def names(self, path: str) -> list[str]:
        """What is in a folder."""
        return self.tree.names(path)

    def link(self, path: str) -> str:
        """A link's target; of a descriptor, the node it has open."""
        if path.startswith("proc/") and "/fd/" in path:
            pid = int(path.split("/")[1])
            if pid in self.processes:
                return self.processes[pid].nodes[0]
        return self.tree.link(path)

    def real(self, path: str) -> str:
        """The path with its links followed."""
        return self.tree.real(path)

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        return self.tree.exists(path)

    def run(self, argv: tuple[str, ...]) -> None:
        """A program of the host, by the last part of its name; parts of the kernel bring theirs."""
        self.around()
        program = self.programs.get(argv[0].rpartition("/")[2])
        if program is None:
            raise fail(errno.ENOENT, argv[0])
        program(argv)
        self.around()

    def ask(self, argv: tuple[str, ...]) -> str:
        """A program of the host that only looks."""
        program = self.answers.get(argv[0].rpartition("/")[2])
        if program is None:
            raise fail(errno.ENOENT, argv[0])
        return program(argv)

    def macs(self, link: str) -> list[str]:
        """What rtnetlink tells of a card's virtual functions."""
        return self._network(link).macs()

    def set_mac(self, link: str, number: int, mac: str) -> None:
        """What rtnetlink takes for one of them."""
        self.around()
        self._network(link).set_mac(number, mac)
        self.around()

    def _network(self, link: str) -> Network:
        if link not in self.networks:
            raise fail(errno.ENODEV, link)
        return self.networks[link]
