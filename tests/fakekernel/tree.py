"""A file tree as the kernel shows it: folders, links, and files that answer; refusals carry the kernel's errno."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field


def fail(number: int, path: str) -> OSError:
    """The OSError of an errno."""
    return OSError(number, os.strerror(number), path)


@dataclass
class File:
    """A file whose content is computed when it is read, and that acts when it is written; None refuses."""

    read: Callable[[], str] | None = None
    write: Callable[[str], None] | None = None


@dataclass
class Link:
    """A link to a path from the root of the tree."""

    target: str


@dataclass
class Folder:
    """What is in a folder by name."""

    entries: dict[str, Node] = field(default_factory=dict)


Node = File | Link | Folder


class Tree:
    """Implements what `Files` reads and writes; paths are relative to the root, as the agent's are."""

    def __init__(self) -> None:
        self._root = Folder()

    # what a part of the kernel does to its files

    def put(self, path: str, node: Node) -> None:
        """Put a node in its place; folders on the way are made."""
        folder = self._root
        *parents, name = path.split("/")
        for part in parents:
            below = folder.entries.setdefault(part, Folder())
            assert isinstance(below, Folder), f"{path}: {part} is no folder"
            folder = below
        folder.entries[name] = node

    def text(self, path: str, content: str) -> None:
        """A file that never changes; the kernel ends what it says with a newline."""
        self.put(path, File(read=lambda: content + "\n"))

    def drop(self, path: str) -> None:
        """Take a node away with all that is in it; it may be gone."""
        parent, _, name = path.rpartition("/")
        folder = self._lookup(parent)
        if isinstance(folder, Folder):
            folder.entries.pop(name, None)

    # Files

    def read(self, path: str) -> str:
        """A file's content."""
        file = self._file(path)
        if file.read is None:
            raise fail(errno.EACCES, path)
        return file.read()

    def write(self, path: str, value: str) -> None:
        """One write(2)."""
        file = self._file(path)
        if file.write is None:
            raise fail(errno.EACCES, path)
        file.write(value)

    def names(self, path: str) -> list[str]:
        """What is in a folder."""
        _, node = self._find(path)
        if not isinstance(node, Folder):
            raise fail(errno.ENOTDIR, path)
        return sorted(node.entries)

    def link(self, path: str) -> str:
        """A link's target, from the folder it is in, as sysfs writes it."""
        parent, _, name = path.rpartition("/")
        place, folder = self._find(parent)
        node = folder.entries.get(name) if isinstance(folder, Folder) else None
        if node is None:
            raise fail(errno.ENOENT, path)
        if not isinstance(node, Link):
            raise fail(errno.EINVAL, path)
        return posixpath.relpath(node.target, place or ".")

    def real(self, path: str) -> str:
        """The path with its links followed."""
        return self._find(path)[0]

    def exists(self, path: str) -> bool:
        """Whether it is there, links followed."""
        try:
            self._find(path)
        except OSError:
            return False
        return True

    def _file(self, path: str) -> File:
        _, node = self._find(path)
        if isinstance(node, Folder):
            raise fail(errno.EISDIR, path)
        assert isinstance(node, File)
        return node

    def _lookup(self, path: str) -> Node | None:
        try:
            return self._find(path)[1]
        except OSError:
            return None

    def _find(self, path: str) -> tuple[str, Node]:
        """The real path and what is there; a link is followed wherever it stands."""
        place: list[str] = []
        node: Node = self._root
        for part in filter(None, path.split("/")):
            if not isinstance(node, Folder):
                raise fail(errno.ENOTDIR, path)
            if part not in node.entries:
                raise fail(errno.ENOENT, path)
            node = node.entries[part]
            place.append(part)
            if isinstance(node, Link):
                real, node = self._find(node.target)
                place = real.split("/")
        return "/".join(place), node
