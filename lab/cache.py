"""The cache outside the checkout: each entry is a folder named by what it was made from.

An entry is built beside its place and renamed into it, so that an interrupted build leaves nothing that
looks finished.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.progress import step


def root() -> Path:
    """The cache folder: $LIBVF_CACHE, else ~/.cache/libvf."""
    return Path(os.environ.get("LIBVF_CACHE") or Path.home() / ".cache" / "libvf")


def key_of(*parts: str | Path) -> str:
    """A short digest of strings, and of the content of files and folders."""
    digest = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            digest.update(len(piece).to_bytes(8, "big") + piece)
    return digest.hexdigest()[:16]


def entry(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder `<name>-<key>`, built by `build(folder)` the first time it is asked for."""
    place = root() / f"{name}-{key}"
    if place.exists():
        return place
    root().mkdir(parents=True, exist_ok=True)
    with _lock(root() / f"{name}.lock"):
        if not place.exists():
            _build(name, place, build)
    return place


def _build(name: str, place: Path, build: Callable[[Path], None]) -> None:
    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with step(f"building {name} (kept in {place})"):
        build(partial)
    partial.rename(place)


def _pieces(part: str | Path) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif part.is_dir():
        for path in sorted(p for p in part.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            yield str(path.relative_to(part)).encode()
            yield path.read_bytes()
    else:
        yield part.read_bytes()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
