"""A fake host's tree written to a disk, for programs that take a root folder; what refuses to be read is left empty."""

from __future__ import annotations

from pathlib import Path

from libvf_agent.sysfs import Files


def write_out(files: Files, root: Path, path: str = "") -> None:
    """All of it below `root`, links as links; a listing that is refused is an empty folder."""
    for name in _names(files, path):
        below = f"{path}/{name}" if path else name
        place = root / below
        if (link := _link(files, below)) is not None:
            place.symlink_to(link)
        elif _is_folder(files, below):
            place.mkdir()
            write_out(files, root, below)
        else:
            place.write_text(_text(files, below))


def _names(files: Files, path: str) -> list[str]:
    try:
        return files.names(path)
    except OSError:
        return []


def _link(files: Files, path: str) -> str | None:
    try:
        return files.link(path)
    except OSError:
        return None


def _is_folder(files: Files, path: str) -> bool:
    try:
        files.names(path)
    except NotADirectoryError:
        return False
    except OSError:
        return True
    return True


def _text(files: Files, path: str) -> str:
    try:
        return files.read(path)
    except OSError:
        return ""
