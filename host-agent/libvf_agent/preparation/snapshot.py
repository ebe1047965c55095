"""What was read of a host: texts, links and names by path; planners see nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`texts` and `links` (the last part of where they lead) by path relative to the root; `commands` it has."""

    texts: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    commands: frozenset[str] = frozenset()

    def text(self, path: str) -> str:
        """The file's text, empty where there is no such file."""
        return self.texts.get(path, "")

    def texts_like(self, *patterns: str) -> dict[str, str]:
        """The texts whose path matches, by path, in the order of the patterns and then of the names."""
        return {path: self.texts[path] for pattern in patterns for path in sorted(self.texts) if fnmatch(path, pattern)}

    def has_like(self, pattern: str) -> bool:
        """Whether a name was seen that matches."""
        return any(fnmatch(name, pattern) for name in self.names)
