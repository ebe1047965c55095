"""The host's files below one root folder: the only door to them while a host is prepared.

Paths are relative to the root, without a leading slash. Text keeps bytes that are no UTF-8 (surrogateescape).
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from libvf_agent.errors import PreparationError
from libvf_agent.files import remove_whole, sync_folder, unfinished, write_whole

COMMAND_FOLDERS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose a file is and who may do what."""

    mode: int
    uid: int
    gid: int


def digest(content: bytes) -> str:
    """What two contents have in common only if they are the same."""
    return hashlib.sha256(content).hexdigest()


class HostRoot:
    """Reads, writes and removes below `folder`; what the kernel refuses becomes a PreparationError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where `name` is for this process."""
        return self.folder / name

    def exists(self, name: str) -> bool:
        """Whether there is anything of that name, a broken link too."""
        path = self.path(name)
        return path.is_symlink() or path.exists()

    def read(self, name: str) -> bytes | None:
        """The content, None where there is no such file; not being allowed to look is an error."""
        with _told("read", name):
            try:
                return self.path(name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def text(self, name: str) -> str | None:
        """The content as text, None where there is no such file."""
        content = self.read(name)
        return None if content is None else content.decode(errors="surrogateescape")

    def glob(self, pattern: str) -> list[str]:
        """The names that match, sorted."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(pattern))

    def link(self, name: str) -> str | None:
        """The last part of where a link leads, None where it is none."""
        path = self.path(name)
        return path.readlink().name if path.is_symlink() else None

    def has_command(self, name: str) -> bool:
        """Whether the host has a program of that name."""
        return any(self.exists(f"{folder}/{name}") for folder in COMMAND_FOLDERS)

    def owned(self, name: str) -> Owned | None:
        """Mode and owner, None where there is no such file; a link is refused, as it would be replaced by a file."""
        path = self.path(name)
        if path.is_symlink():
            raise PreparationError(f"/{name} is a link to {path.readlink()}: make it a file, or prepare this by hand")
        if not path.exists():
            return None
        with _told("look at", name):
            now = path.stat()
        return Owned(stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid)

    def put(self, name: str, content: bytes, owned: Owned | None) -> None:
        """Replaces the file whole; without `owned` it is this process's, mode 0644."""
        with _told("write", name):
            if owned is None:
                write_whole(self.path(name), content)
            else:
                write_whole(self.path(name), content, owned.mode, (owned.uid, owned.gid))

    def remove(self, name: str) -> None:
        """Removes the file, where it is there."""
        with _told("remove", name):
            remove_whole(self.path(name))

    def sweep(self, name: str) -> None:
        """Removes what a write of `name` that was cut short left beside it."""
        with _told("remove", name):
            unfinished(self.path(name)).unlink(missing_ok=True)

    def missing_folders(self, name: str) -> tuple[str, ...]:
        """The folders above `name` that are not there, outermost first."""
        parents = [str(parent) for parent in Path(name).parents if str(parent) != "."]
        return tuple(parent for parent in reversed(parents) if not self.path(parent).exists())

    def make_folder(self, name: str) -> None:
        """Makes one folder, 0755; nothing to do where it is there."""
        with _told("make the folder", name):
            self.path(name).mkdir(exist_ok=True)
            sync_folder(self.path(name).parent)

    def remove_folder(self, name: str) -> None:
        """Removes a folder if it is there and empty."""
        path = self.path(name)
        if path.is_dir() and not any(path.iterdir()):
            with _told("remove the folder", name):
                path.rmdir()
                sync_folder(path.parent)


@contextmanager
def _told(action: str, name: str) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise PreparationError(f"{action} /{name}: {error.strerror}: run this as root") from error
    except OSError as error:
        raise PreparationError(
            f"{action} /{name}: {error.strerror}: mend this and run it again, it goes on where it stopped"
        ) from error
