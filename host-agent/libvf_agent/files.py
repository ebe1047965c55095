"""Files of our own that must survive a power cut whole: written beside, synced, renamed."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o644, owner: tuple[int, int] | None = None) -> None:
    """Replaces `path` by `content` at once; after a crash it holds the old or the new, never a part.

    With an owner (uid, gid) the mode is exact, whatever the umask; both are set before the name changes hands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = unfinished(path)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        if owner is not None:
            _belong(handle, mode, owner)
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def unfinished(path: Path) -> Path:
    """The name beside `path` under which a write that was cut short may have left its part."""
    return path.with_name(f".{path.name}.new")


def _belong(handle: int, mode: int, owner: tuple[int, int]) -> None:
    """Mode and owner; not asked for where they are so, as a boot partition (vfat) refuses any change."""
    now = os.fstat(handle)
    if (now.st_uid, now.st_gid) != owner:
        os.fchown(handle, *owner)
    if stat.S_IMODE(os.fstat(handle).st_mode) != mode:
        os.fchmod(handle, mode)


def remove_whole(path: Path) -> None:
    """Removes `path` so that it stays removed; nothing to do where it is not there."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the folder's own entries durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
