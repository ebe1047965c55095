"""What is on a machine's disk, looked at from outside while its power is off: the machine is not asked about itself.

debugfs(8) reads the file system as it is: no mount, no loop device, no replay of a journal.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.progress import step
from lab.shell import run


@dataclass(frozen=True, slots=True)
class Thing:
    """A file, folder or link; all there is to compare of it but for its times. `content` is a digest or a target."""

    mode: int
    uid: int
    gid: int
    content: str = ""


def extract(disk: Path, offset: int, root: Path) -> Path:
    """Copies the file system that begins at byte `offset` of a disk into the folder `root`, which must not be there.

    Raises LabError for a file system that was not unmounted in order. Device nodes are left out.
    """
    root.mkdir(parents=True)
    raw = root.with_suffix(".raw")
    with step(f"what is on {disk.name}"):
        run(["qemu-img", "convert", "-O", "raw", disk, raw])
        where = f"{raw}?offset={offset}"
        if "needs_recovery" in run(["debugfs", "-R", "show_super_stats -h", where]):
            raise LabError(f"{disk} was not unmounted in order: switch the machine off before you look at its disk")
        said = [line for line in run(["debugfs", "-R", f"rdump / {root}", where]).splitlines()[1:] if line]
        raw.unlink()
    if said:
        raise LabError(f"debugfs does not read all of {disk}: {said[:5]}")
    return root


def tree(root: Path) -> dict[str, Thing]:
    """All that is below a folder, by path relative to it."""
    return {str(path.relative_to(root)): _seen(path) for path in root.rglob("*")}


def digest(content: bytes) -> str:
    """What stands for a content."""
    return hashlib.sha256(content).hexdigest()


def _seen(path: Path) -> Thing:
    now = path.lstat()
    return Thing(now.st_mode, now.st_uid, now.st_gid, _content(path))


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return digest(path.read_bytes()) if path.is_file() else ""
