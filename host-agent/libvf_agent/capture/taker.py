"""The hand that takes: each path once, and what the kernel refuses is taken as that."""

from __future__ import annotations

import errno
import re
import subprocess
from collections.abc import Callable

from libvf_api.capture import ALL_BYTES, ENTRIES, FILE_BYTES

from libvf_agent.capture.allowed import Allowed
from libvf_agent.capture.seen import Seen
from libvf_agent.errors import CaptureTooBig
from libvf_agent.sysfs import Files

_NAME = re.compile(r"[!-~]+")


class Taker:
    """Takes from `files` what it is told to; CaptureTooBig where that is more than an archive takes."""

    def __init__(self, files: Files) -> None:
        self.seen = Seen()
        self._files = files
        self._bytes = 0

    def peek(self, path: str) -> str:
        """The stripped text, to decide by; empty where there is none, and nothing is taken."""
        try:
            return self._files.read(path).strip()
        except OSError:
            return ""

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        return self._files.exists(path)

    def real(self, path: str) -> str | None:
        """The path with all links followed; None where it is not there, or is outside of the root."""
        try:
            real = self._files.real(path)
        except OSError:
            return None
        return None if real == "." or real.startswith("..") else real

    def leads_astray(self, path: str) -> bool:
        """Whether it is a link to an absolute path, which another root than ours would be meant by."""
        try:
            return self._files.link(path).startswith("/")
        except OSError:
            return False

    def names(self, folder: str) -> list[str]:
        """What is in a folder, which is taken; none where it is not there."""
        try:
            found = self._files.names(folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.seen.unlisted[folder] = _name(error)
            return []
        self.seen.folders.add(folder)
        self._limit()
        return sorted(name for name in found if _NAME.fullmatch(name))

    def take(self, folder: str, allowed: Allowed) -> list[str]:
        """What is allowed of a folder; returns all names in it."""
        names = self.names(folder)
        for name in names:
            path = f"{folder}/{name}"
            if name in allowed.texts:
                self.text(path)
            elif name in allowed.links:
                self.link(path)
            elif name in allowed.write_only:
                self.seen.write_only.add(path)
        self._limit()
        return names

    def text(self, path: str) -> None:
        """A file, whole."""
        self._keep(path, path, None)

    def reduced(self, path: str, reduce: Callable[[str], str], source: str | None = None) -> None:
        """What `reduce` leaves of a file, or of another one that is read in its place."""
        self._keep(path, source or path, reduce)

    def link(self, path: str) -> str | None:
        """A link and that there is a folder where it leads; a folder in its place is one. Returns where that is."""
        target = self.real(path)
        try:
            self._files.link(path)
        except OSError:
            self.names(path)
            return target
        if target is None:
            return None
        self.seen.links[path] = target
        self.names(target)
        return target

    def node(self, path: str) -> None:
        """A device node: its name, as to open one acts."""
        if self.exists(path):
            self.seen.nodes.add(path)

    def program(self, argv: tuple[str, ...], reduce: Callable[[str], str]) -> bool:
        """What `reduce` leaves of what a vendor's own tool says that only looks; whether that is anything."""
        try:
            said = reduce(self._files.ask(argv)[:ALL_BYTES])
        except (OSError, subprocess.TimeoutExpired):
            return False
        size = len(said.encode())
        if not 0 < size <= FILE_BYTES:
            return False
        self.seen.programs[" ".join(argv)] = said
        self._bytes += size
        self._limit()
        return True

    def _keep(self, path: str, source: str, reduce: Callable[[str], str] | None) -> None:
        if path in self.seen.files:
            return
        try:
            text = self._files.read(source)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.seen.refused[path] = _name(error)
            return
        kept = reduce(text[:FILE_BYTES]) if reduce else text
        size = len(kept.encode())
        if size > FILE_BYTES:
            self.seen.refused[path] = errno.errorcode[errno.EFBIG]
            return
        self.seen.files[path] = kept
        self.seen.refused.pop(path, None)
        self._bytes += size
        self._limit()

    def _limit(self) -> None:
        if self._bytes > ALL_BYTES or self.seen.entries() > ENTRIES:
            raise CaptureTooBig(
                f"there is more to capture here than {ALL_BYTES >> 20} MiB or {ENTRIES} files: "
                "capture the card alone that this is about, --card 0000:65:00.0"
            )


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, errno.errorcode[errno.EIO])
