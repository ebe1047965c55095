"""The capture of a host as one archive: the kernel files that matter to libvf, without what identifies anybody.

The agent makes it, `kubectl vf capture` fetches it, and the fake kernel of the tests shows it again
(docs/capture.md). A gzipped tar of `capture.json` and of `files/<path>`; the same capture makes the same bytes.
"""

import errno
import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

FORMAT = 1
MANIFEST = "capture.json"
FILES = "files/"

FILE_BYTES = 64 << 10
ALL_BYTES = 8 << 20
ENTRIES = 1 << 16
"""Files, links and refusals together; a tar spends some 2 KiB on each, however small."""
UNPACKED_BYTES = 256 << 20
"""What a reader unpacks at most: all of the above at their limits, with tar's own."""

_PATH = re.compile(r"[ -~]{1,512}")
_ERRNOS = frozenset(errno.errorcode.values())


class BadCapture(ValueError):
    """Bytes that are no capture, or one that this version does not understand."""


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """`capture.json`: what was seen of the host beside the files; paths have no leading slash.

    `links` lead to paths from the root, never through another link; `folders` are those in which nothing was taken.
    `refused` and `unlisted` hold the errno's name for files and for folders that would not be read, EFBIG for a file
    that is too big. `write_only` was not opened; `nodes` are devices, of which only the name counts. `programs` are
    what vendors' own tools said, by their words with blanks between, reduced to the lines that libvf reads.
    """

    format: int
    agent: str
    kernel: str
    files: int = 0
    folders: tuple[str, ...] = ()
    links: dict[str, str] = {}
    refused: dict[str, str] = {}
    unlisted: dict[str, str] = {}
    write_only: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    programs: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Capture:
    """A manifest and the files' texts by path."""

    manifest: Manifest
    files: dict[str, str] = field(default_factory=dict)


def pack(capture: Capture) -> bytes:
    """The archive; sorted, and without times, owners or names of who made it."""
    target = io.BytesIO()
    # mtime 0 and no name: gzip would write both into its head
    with (
        gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=0) as plain,
        tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        manifest = msgspec.json.encode(capture.manifest, order="sorted")
        _add(tar, MANIFEST, msgspec.json.format(manifest) + b"\n")
        for path in sorted(capture.files):
            _add(tar, f"{FILES}{path}", capture.files[path].encode())
    return target.getvalue()


def unpack(archive: bytes) -> Capture:
    """The capture in an archive; BadCapture where it is none, whatever the bytes."""
    try:
        members = dict(_members(archive))
    except BadCapture:
        raise
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, OverflowError) as error:
        raise BadCapture(
            f"no capture, or only a part of one ({error}): make it again with kubectl vf capture"
        ) from error
    if MANIFEST not in members:
        raise BadCapture(f"no capture: there is no {MANIFEST} in it")
    manifest = _manifest(members.pop(MANIFEST))
    capture = Capture(manifest, {path.removeprefix(FILES): _text(path, members[path]) for path in sorted(members)})
    _check(capture)
    return capture


def above(path: str) -> Iterator[str]:
    """The folders a path is in, from the root down."""
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


class _Bounded:
    """A stream that ends a reader which unpacks too much: some kilobytes can become terabytes."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = UNPACKED_BYTES

    def read(self, size: int = 1 << 16, /) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise BadCapture(f"no capture: it unpacks to more than {UNPACKED_BYTES >> 20} MiB")
        return piece


def _members(archive: bytes) -> Iterator[tuple[str, bytes]]:
    with gzip.GzipFile(fileobj=io.BytesIO(archive)) as plain:
        stream = _Bounded(plain)
        with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]
            seen: set[str] = set()
            for member in tar:
                content = _content(tar, member)
                if member.name in seen:
                    raise BadCapture(f"no capture: {member.name} is in it twice")
                seen.add(member.name)
                yield member.name, content
        while stream.read():  # to its end, where gzip compares the checksum
            pass


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.name != MANIFEST and not member.name.startswith(FILES):
        raise BadCapture(f"no capture: {member.name} is no part of one")
    limit = UNPACKED_BYTES if member.name == MANIFEST else FILE_BYTES
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.sparse is not None or member.size > limit:
        raise BadCapture(f"no capture: {member.name} is no plain file, or too big")
    file = tar.extractfile(member)
    return file.read() if file else b""


def _manifest(text: bytes) -> Manifest:
    try:
        head = msgspec.json.decode(text, type=_Head)
        if head.format != FORMAT:
            raise BadCapture(f"a capture of format {head.format}, this reads {FORMAT}: use the libvf that made it")
        return msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadCapture(f"no capture: {MANIFEST} can not be read ({error})") from error


class _Head(msgspec.Struct):
    format: int


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadCapture(f"no capture: {path} is no text") from error


def _check(capture: Capture) -> None:
    """One thing at each path, files have nothing below them, and no link leads to a link: a tree can be made of it."""
    manifest = capture.manifest
    if manifest.files != len(capture.files):
        raise BadCapture(f"no capture: {manifest.files} files were put into it and {len(capture.files)} are there")
    folders = {*manifest.folders, *manifest.unlisted}
    leaves = [*capture.files, *manifest.links, *manifest.refused, *manifest.write_only, *manifest.nodes]
    known = _paths(leaves)
    if len(known) + len(folders) > ENTRIES:
        raise BadCapture(f"no capture: more than {ENTRIES} entries")
    for path in (*leaves, *_paths(folders)):
        if (path in folders and path in known) or any(folder in known for folder in above(path)):
            raise BadCapture(f"no capture: {path} is below a file, or is a folder and a file")
    for path, target in manifest.links.items():
        if not _is_path(target) or any(place in manifest.links for place in (*above(target), target)):
            raise BadCapture(f"no capture: {path} leads to {target}, which is no place or a link itself")
    for name in (*manifest.refused.values(), *manifest.unlisted.values()):
        if name not in _ERRNOS:
            raise BadCapture(f"no capture: {name} is no errno")


def _paths(paths: Iterable[str]) -> frozenset[str]:
    listed = list(paths)
    wrong = next((path for path in listed if not _is_path(path)), None)
    if wrong is not None:
        raise BadCapture(f"no capture: {wrong[:80]!r} is no path")
    known = frozenset(listed)
    if len(known) != len(listed):
        raise BadCapture("no capture: a path is in it twice")
    return known


def _is_path(path: str) -> bool:
    return bool(_PATH.fullmatch(path)) and not {"", ".", ".."} & set(path.split("/"))
