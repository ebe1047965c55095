"""The only door to /sys, and to the few files of /proc and /dev that belong with it.

Paths are relative to the host's root ("sys/class/mdev_bus"), so that a test or a lab may put another root, or
the fake kernel, behind the same door.
"""

from __future__ import annotations

import errno
import os
import posixpath
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from libvf_agent import netlink
from libvf_agent.errors import Busy, SysfsError, from_os
from libvf_agent.remembered import Remembered

REMOVE_DEADLINE_SECONDS = 10.0
RUN_SECONDS = 30.0
ASK_SECONDS = 10.0
_NOT_FOUND = 127  # nsenter(1), as a shell's

Answer = TypeVar("Answer")


class Files(Protocol):
    """A file tree as the kernel shows it; every method raises OSError as the kernel would."""

    def read(self, path: str) -> str: ...
    def write(self, path: str, value: str) -> None: ...
    def names(self, path: str) -> list[str]: ...
    def link(self, path: str) -> str: ...
    def real(self, path: str) -> str: ...
    def exists(self, path: str) -> bool: ...
    def run(self, argv: tuple[str, ...]) -> None: ...
    def ask(self, argv: tuple[str, ...]) -> str: ...
    def macs(self, link: str) -> list[str]: ...
    def set_mac(self, link: str, number: int, mac: str) -> None: ...


class HostFiles:
    """The real tree below `root`."""

    def __init__(self, root: str = "/") -> None:
        self._root = os.path.realpath(root)

    def _at(self, path: str) -> str:
        return os.path.join(self._root, path)

    def read(self, path: str) -> str:
        with open(self._at(path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, path: str, value: str) -> None:
        """One write(2), never creating the file: sysfs takes a value whole."""
        handle = os.open(self._at(path), os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(handle, value.encode())
        finally:
            os.close(handle)

    def names(self, path: str) -> list[str]:
        return sorted(os.listdir(self._at(path)))

    def link(self, path: str) -> str:
        return os.readlink(self._at(path))

    def real(self, path: str) -> str:
        return os.path.relpath(os.path.realpath(self._at(path), strict=True), self._root)

    def exists(self, path: str) -> bool:
        return os.path.exists(self._at(path))

    def run(self, argv: tuple[str, ...]) -> None:
        """A program of the host in the host's own mount namespace, that of process 1."""
        _ran(argv, RUN_SECONDS)

    def ask(self, argv: tuple[str, ...]) -> str:
        """What a program of the host that changes nothing says."""
        return _ran(argv, ASK_SECONDS)

    def macs(self, link: str) -> list[str]:
        """The addresses of the virtual functions of a link's card, by their number."""
        return netlink.macs(link)

    def set_mac(self, link: str, number: int, mac: str) -> None:
        """Another address for one of them."""
        netlink.set_mac(link, number, mac)


def _ran(argv: tuple[str, ...], seconds: float) -> str:
    done = subprocess.run(
        ["nsenter", "--target", "1", "--mount", "--", *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    if done.returncode == _NOT_FOUND:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    if done.returncode:
        words = f"{done.stdout}{done.stderr}".strip()[-500:]
        raise OSError(errno.EIO, words or f"code {done.returncode}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Opener:
    """A process that holds a device node open."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


class Sysfs:
    """Typed errors and the habits of kernel files over any `Files`."""

    def __init__(self, files: Files | None = None) -> None:
        self._files = files or HostFiles()
        self._writers: dict[str, _Writer] = {}

    def snapshot(self) -> Sysfs:
        """The same tree, each file of it read once at most: for one look, in which everything is of one moment.

        Several backends look at the same functions, and at all open descriptors of the host.
        """
        return Sysfs(Remembered(self._files))

    def now(self) -> Sysfs:
        """The tree as it is, also from within a look: for what somebody may have changed while we looked."""
        return Sysfs(self._files.files) if isinstance(self._files, Remembered) else self

    def read(self, path: str) -> str:
        """The stripped content."""
        try:
            return self._files.read(path).strip()
        except OSError as error:
            raise from_os(error, f"reading /{path}") from error

    def read_or(self, path: str, default: str) -> str:
        """The stripped content, or `default` where the file is missing or unreadable."""
        try:
            return self.read(path)
        except SysfsError:
            return default

    def names(self, path: str) -> list[str]:
        """The sorted names in a folder; none where it does not exist."""
        try:
            return sorted(self._files.names(path))
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return []
        except OSError as error:
            raise from_os(error, f"listing /{path}") from error

    def exists(self, path: str) -> bool:
        """Whether the path is there, links followed."""
        return self._files.exists(path)

    def real(self, path: str) -> str | None:
        """The path with all links followed, below the root; None where it is not there."""
        try:
            return self._files.real(path)
        except OSError:
            return None

    def link_name(self, path: str) -> str | None:
        """The last part of a link's target ("12" of an iommu_group), None where there is no link."""
        try:
            return posixpath.basename(self._files.link(path))
        except OSError:
            return None

    def write(self, path: str, value: str) -> None:
        """One write, on the caller's thread; for files that answer at once."""
        try:
            self._files.write(path, value)
        except OSError as error:
            raise from_os(error, f"writing {value!r} to /{path}") from error

    def write_blocking(self, path: str, value: str, deadline: float = REMOVE_DEADLINE_SECONDS) -> None:
        """One write that the kernel may hold up for as long as a device is open.

        It runs in a worker that nobody can interrupt, so a second call for the same path joins the first
        instead of stacking another. Raises Busy when `deadline` seconds have passed.
        """
        writer = self._writers.get(path)
        if writer is None:
            writer = self._writers[path] = _Writer(self, path, value)
        if not writer.join(deadline):
            raise Busy(f"writing to /{path} did not return in {deadline:g} s: stop what holds the device")
        del self._writers[path]
        if writer.error is not None:
            raise writer.error

    def run(self, argv: tuple[str, ...]) -> None:
        """A program of the host, to its end; Refused with its last words where it fails."""
        self._programs(self._files.run, argv)

    def ask(self, argv: tuple[str, ...]) -> str:
        """What a program of the host says that only looks; Absent where it is missing, Refused where it fails."""
        return self._programs(self._files.ask, argv)

    def _programs(self, door: Callable[[tuple[str, ...]], Answer], argv: tuple[str, ...]) -> Answer:
        try:
            return door(argv)
        except subprocess.TimeoutExpired as error:
            told = f"{' '.join(argv)} did not end in {error.timeout:g} s"
            raise Busy(f"{told}: see what it waits for on this node") from error
        except OSError as error:
            raise from_os(error, f"running {' '.join(argv)}") from error

    def macs(self, link: str) -> tuple[str, ...]:
        """The addresses of a network card's virtual functions, by their number; none where it tells of none."""
        try:
            return tuple(self._files.macs(link))
        except OSError as error:
            raise from_os(error, f"asking {link} for the addresses of its functions") from error

    def set_mac(self, link: str, number: int, mac: str) -> None:
        """Another address for one of them."""
        try:
            self._files.set_mac(link, number, mac)
        except OSError as error:
            raise from_os(error, f"setting {mac} on function {number} of {link}") from error

    def openers(self, *nodes: str) -> list[Opener]:
        """Who holds one of `nodes` ("/dev/vfio/3") open, by every /proc/<pid>/fd: needs the host's pid namespace."""
        if not nodes:
            return []
        pids = [int(name) for name in self.names("proc") if name.isascii() and name.isdecimal()]
        return [Opener(pid, self.read_or(f"proc/{pid}/comm", "?")) for pid in pids if self._holds(pid, nodes)]

    def _holds(self, pid: int, nodes: tuple[str, ...]) -> bool:
        folder = f"proc/{pid}/fd"
        for name in self.names(folder):
            try:
                if self._files.link(f"{folder}/{name}") in nodes:
                    return True
            except OSError:
                continue  # the descriptor was closed while we looked
        return False


class _Writer:
    """A write in a thread of its own, and what became of it."""

    def __init__(self, sysfs: Sysfs, path: str, value: str) -> None:
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(sysfs, path, value), daemon=True)
        self._thread.start()

    def _run(self, sysfs: Sysfs, path: str, value: str) -> None:
        try:
            sysfs.write(path, value)
        except BaseException as error:
            self.error = error

    def join(self, deadline: float) -> bool:
        self._thread.join(deadline)
        return not self._thread.is_alive()
