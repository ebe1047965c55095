"""Files as they were at one moment."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from libvf_agent.sysfs import Files

Answer = TypeVar("Answer")
Asked = TypeVar("Asked", str, tuple[str, ...])


class Remembered:
    """Files that are asked for each thing once; a refusal is remembered too. It is for looking: it changes nothing."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._known: dict[tuple[str, str | tuple[str, ...]], object] = {}

    def _once(self, name: str, ask: Callable[[Asked], Answer], asked: Asked) -> Answer:
        if (name, asked) not in self._known:
            try:
                self._known[name, asked] = ask(asked)
            except OSError as error:
                self._known[name, asked] = error
        found = self._known[name, asked]
        if isinstance(found, OSError):
            raise OSError(found.errno, found.strerror, asked)
        return cast(Answer, found)

    def read(self, path: str) -> str:
        return self._once("read", self.files.read, path)

    def names(self, path: str) -> list[str]:
        return self._once("names", self.files.names, path)

    def link(self, path: str) -> str:
        return self._once("link", self.files.link, path)

    def real(self, path: str) -> str:
        return self._once("real", self.files.real, path)

    def exists(self, path: str) -> bool:
        return self._once("exists", self.files.exists, path)

    def ask(self, argv: tuple[str, ...]) -> str:
        return self._once("ask", self.files.ask, argv)

    def macs(self, link: str) -> list[str]:
        return self._once("macs", self.files.macs, link)

    def write(self, path: str, value: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def set_mac(self, link: str, number: int, mac: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), link)

    def run(self, argv: tuple[str, ...]) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), argv[0])
