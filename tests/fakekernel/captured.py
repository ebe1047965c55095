"""A host somebody captured (docs/capture.md), shown again: what was read is there, what was refused is refused."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from libvf_api.capture import Capture, unpack

from tests.fakekernel.host import FakeHost
from tests.fakekernel.tree import File, Folder, Link, Tree, fail


class CapturedHost(FakeHost):
    """A host that stands still: every file refuses to be written, as the kernel's read-only ones do."""

    def __init__(self, capture: Capture) -> None:
        super().__init__(numa_nodes=0)
        self.tree = _tree(capture)
        self._programs = capture.manifest.programs
        self._unlisted = {path: _number(name) for path, name in capture.manifest.unlisted.items()}

    def names(self, path: str) -> list[str]:
        """What is in a folder, or the errno that its listing had."""
        number = self._unlisted.get(self.tree.real(path))
        if number is not None:
            raise fail(number, path)
        return super().names(path)

    def ask(self, argv: tuple[str, ...]) -> str:
        """What the program said."""
        if " ".join(argv) not in self._programs:
            raise fail(errno.ENOENT, argv[0])
        return self._programs[" ".join(argv)]


def captured(archive: Path | str | bytes) -> FakeHost:
    """The host of an archive; raises BadCapture where it is none."""
    return CapturedHost(unpack(archive if isinstance(archive, bytes) else Path(archive).read_bytes()))


def _tree(capture: Capture) -> Tree:
    manifest, tree = capture.manifest, Tree()
    for path in (*manifest.folders, *manifest.unlisted):
        _make_folder(tree, path)
    for path, text in capture.files.items():
        tree.put(path, File(read=_says(text)))
    for path, target in manifest.links.items():
        tree.put(path, Link(target))
    for path, name in manifest.refused.items():
        tree.put(path, File(read=_refuses(_number(name), path)))
    for path in (*manifest.write_only, *manifest.nodes):
        tree.put(path, File())
    return tree


def _make_folder(tree: Tree, path: str) -> None:
    if not tree.exists(path):
        tree.put(path, Folder())


def _says(text: str) -> Callable[[], str]:
    return lambda: text


def _refuses(number: int, path: str) -> Callable[[], str]:
    def read() -> str:
        raise fail(number, path)

    return read


def _number(name: str) -> int:
    return int(getattr(errno, name))
