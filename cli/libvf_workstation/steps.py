"""The steps that make a host a workstation, each frozen data; what is made is taken back by the journal alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of ours."""

    path: Path
    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A folder with what a member of the bundle has."""

    path: Path
    member: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours."""

    path: Path
    text: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link of ours."""

    path: Path
    target: Path


@dataclass(frozen=True, slots=True)
class Expected:
    """A path that the programs make where it is not there; where it is, it is left alone.

    `alone`: the programs can not share it, so it must not be there.
    """

    path: Path
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the kernel (a file of /proc/sys) that the programs change: put back as it is now."""

    path: Path


Step = Folder | Unpacked | File | Link | Expected | Setting


def told(step: Step) -> str:
    """What it does, in words."""
    match step:
        case Folder(path=path):
            return f"make the folder {path}"
        case Unpacked(path=path):
            return f"unpack {path}"
        case File(path=path):
            return f"write {path}"
        case Link(path=path, target=target):
            return f"link {path} to {target}"
        case Expected(path=path):
            return f"kubelet and containerd will make {path}"
        case Setting(path=path):
            return f"kubelet and the bridge will change {path}"
