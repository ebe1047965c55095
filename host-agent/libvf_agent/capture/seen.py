"""What was taken of a host, before anything in it is replaced."""

from __future__ import annotations

from dataclasses import dataclass, field

from libvf_api.capture import above


@dataclass
class Seen:
    """By path: texts, where links lead, and the errno's name of what would not be read; what programs said."""

    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    write_only: set[str] = field(default_factory=set)
    nodes: set[str] = field(default_factory=set)
    programs: dict[str, str] = field(default_factory=dict)

    def entries(self) -> int:
        """How many there are of all kinds."""
        kinds = (self.files, self.links, self.folders, self.refused, self.unlisted, self.write_only, self.nodes)
        return sum(len(kind) for kind in kinds)

    def bare_folders(self) -> set[str]:
        """Those that nothing else tells of: without anything taken below them."""
        kinds = (self.files, self.links, self.refused, self.write_only, self.nodes, self.folders, self.unlisted)
        told = {folder for kind in kinds for path in kind for folder in above(path)}
        return self.folders - told - self.unlisted.keys()
