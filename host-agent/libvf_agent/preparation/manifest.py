"""What was changed on a host, recorded before it is changed: `var/lib/libvf/preparation` below the root.

`manifest.json` has the changes in order, `backups/` each file as it was before the first of them. A change is
recorded before it is made, so a record may be of one that never was; taking back looks at what is there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from libvf_agent.errors import PreparationError
from libvf_agent.preparation.root import HostRoot, Owned
from libvf_agent.preparation.steps import Edit, Remake, Run

STATE = "var/lib/libvf/preparation"
_MANIFEST = f"{STATE}/manifest.json"
_BACKUPS = f"{STATE}/backups"
_PRIVATE = Owned(0o600, os.geteuid(), os.getegid())


class Before(msgspec.Struct, frozen=True):
    """A file as it was; its content is in the backup."""

    digest: str
    mode: int
    uid: int
    gid: int

    @property
    def owned(self) -> Owned:
        """Mode and owner."""
        return Owned(self.mode, self.uid, self.gid)


class Version(msgspec.Struct, frozen=True):
    """A content written here: its digest, and the edits that made it, none for a whole file of our own."""

    digest: str
    edits: tuple[Edit, ...] = ()


class FileChange(msgspec.Struct, frozen=True, tag=True):
    """A file: as it was (None: not there), what was written, and the folders made for it.

    `foreign`: somebody else changed it in between, so the backup is no longer what to put back. `siblings` are the
    other names in its folder, of which later ones (entries of later kernels) have taken over our words.
    """

    path: str
    before: Before | None
    written: tuple[Version, ...]
    folders: tuple[str, ...] = ()
    foreign: bool = False
    siblings: tuple[str, ...] = ()


class RunChange(msgspec.Struct, frozen=True, tag=True):
    """A program that was run."""

    step: Run


Change = FileChange | RunChange


class Manifest(msgspec.Struct, frozen=True):
    """All changes in order; `remakes` is what depends on them, `due` what of it is still to be run."""

    changes: tuple[Change, ...] = ()
    remakes: tuple[Remake, ...] = ()
    due: tuple[Remake, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The files among them."""
        return tuple(one.path for one in self.changes if isinstance(one, FileChange))

    def file(self, path: str) -> FileChange | None:
        """The record of a file."""
        return next((one for one in self.changes if isinstance(one, FileChange) and one.path == path), None)

    def with_change(self, change: Change) -> Manifest:
        """With the change in the place of the file's older record, or at the end."""
        old = self.file(change.path) if isinstance(change, FileChange) else None
        changes = tuple(change if one is old else one for one in self.changes)
        if old is None and change not in changes:
            changes = (*changes, change)
        return msgspec.structs.replace(self, changes=changes)

    def without_change(self, change: Change) -> Manifest:
        """After the change was taken back."""
        return msgspec.structs.replace(self, changes=tuple(one for one in self.changes if one != change))

    def owing(self, remakes: tuple[Remake, ...]) -> Manifest:
        """With programs that must run before all is done; each once, the latest order counts."""
        known = {one.argv: one for one in (*self.remakes, *remakes)}
        due = {one.argv: one for one in (*self.due, *remakes)}
        return msgspec.structs.replace(self, remakes=tuple(known.values()), due=tuple(due.values()))

    def paid(self, remake: Remake) -> Manifest:
        """After one of them ran."""
        return msgspec.structs.replace(self, due=tuple(one for one in self.due if one.argv != remake.argv))


class State:
    """The folder with manifest and backups."""

    def __init__(self, root: HostRoot) -> None:
        self._root = root

    def load(self) -> Manifest | None:
        """The manifest, None where nothing was ever changed; PreparationError where it can not be read."""
        content = self._root.read(_MANIFEST)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise PreparationError(
                f"/{_MANIFEST} is not readable ({error}): put the files in /{_BACKUPS} back by hand (a % is a /), "
                f"then remove /{STATE}"
            ) from error

    def save(self, manifest: Manifest) -> None:
        """Records it; when this returns it survives a power cut."""
        self._root.put(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)), _PRIVATE)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The folder, made if it is not there, for this process alone."""
        for folder in (*self._root.missing_folders(f"{STATE}/-"), _BACKUPS):
            self._root.make_folder(folder)
        handle = os.open(self._root.path(STATE), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise PreparationError(f"/{STATE} is held by another run: wait for it to end") from error
        finally:
            os.close(handle)

    def keep(self, path: str, content: bytes) -> None:
        """Keeps a file's content; call it before the record is saved."""
        self._root.put(_backup(path), content, _PRIVATE)

    def kept(self, path: str) -> bytes:
        """What was kept."""
        content = self._root.read(_backup(path))
        if content is None:
            raise PreparationError(f"/{_backup(path)} is gone: put /{path} right by hand, then remove /{STATE}")
        return content

    def forget(self) -> None:
        """Removes the folder, the manifest last; and the folder above it where nothing else is in it."""
        for path in self._root.glob(f"{_BACKUPS}/*"):
            self._root.remove(path)
        self._root.remove_folder(_BACKUPS)
        self._root.sweep(_MANIFEST)
        self._root.remove(_MANIFEST)
        self._root.remove_folder(STATE)
        self._root.remove_folder(STATE.rpartition("/")[0])


def _backup(path: str) -> str:
    return f"{_BACKUPS}/{path.replace('/', '%')}"
