"""What was made on this host, recorded before it is made: taking back removes that and nothing else.

A record may be of what never was, if a run was cut short in between; taking back looks at what is there.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libvf_workstation.errors import Foreign, WorkstationError
from libvf_workstation.files import write_whole

NAME = "journal.json"


@dataclass(slots=True)
class Journal:
    """`made`: paths in the order they were made. `settings`: the kernel's, as they were. `stamps`: what was unpacked
    at a path. `facts`: what else taking back must know."""

    file: Path
    made: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, state: Path) -> Journal:
        """Reads it; empty where there is none. An unreadable one is never taken for an empty one."""
        file = state / NAME
        try:
            return cls(file, **json.loads(file.read_text()))
        except FileNotFoundError:
            return cls(file)
        except (ValueError, TypeError) as error:
            raise WorkstationError(f"{file} can not be read ({error}): put it back from a backup") from error

    @property
    def empty(self) -> bool:
        """Whether nothing was made."""
        return not self.made

    def claim(self, path: Path) -> None:
        """Records that the path is ours; Foreign where it is there and was not made here."""
        if str(path) in self.made:
            return
        if os.path.lexists(path):
            raise Foreign(f"{path} is there and was not made here: move it away, or remove it if nothing needs it")
        self.made.append(str(path))
        self.save()

    def save(self) -> None:
        """Puts it on the disk."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {name: getattr(self, name) for name in ("made", "settings", "stamps", "facts")}
        write_whole(self.file, json.dumps(content, indent=2) + "\n", 0o600)
