"""From what was seen to what may be sent: whatever could tell one machine or person from another is replaced. Pure.

The files are chosen so that they hold none of it (`allowed`); this is the second wall, and the one for what has to
stay: a mediated device's UUID is the name of its folder.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from libvf_api.capture import FORMAT, Capture, Manifest
from libvf_api.version import PROGRAMS

from libvf_agent.capture.seen import Seen
from libvf_agent.preparation.facts import KERNEL_VERSION

EFI_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""The name space of the firmware's own variables, the same on every machine (UEFI specification, 3.3)."""

_UUID = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])", re.I)
_MAC = re.compile(r"(?<![0-9a-f])[0-9a-f]{2}([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4,}(?![0-9a-f])", re.I)
_USER_AT_HOST = re.compile(r"[a-z_][\w.+-]*@[\w.-]*", re.I | re.ASCII)
_SERIAL = re.compile(r"\b(serial(?:[ _-]?(?:no|number))?|s/n)(\s*[:=#]\s*)\S+", re.I)
# hosts of these names are told apart by nobody, and drivers say the same words of cards
_COMMON = frozenset({"localhost", "nvidia", "intel", "amd", "gpu", "vgpu", "vfio", "none", "host"})


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """What is written instead. `salt` is random and kept nowhere, so that no UUID can be tried out on an archive."""

    salt: uuid.UUID
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, salt: uuid.UUID, names: Iterable[str]) -> Pseudonyms:
        """With a host's names, the longest first; a full name also counts without its domain, and its domain alone."""
        every = {part for name in names for part in _parts(name.strip().lower().rstrip("."))}
        told = (name for name in every if len(name) > 1 and not name.isdigit() and name not in _COMMON)
        return cls(salt, tuple(sorted(told, key=lambda name: (-len(name), name))))

    def uuid(self, text: str) -> str:
        """The same UUID for the same UUID, in whichever form it is written."""
        known = uuid.UUID(text)
        if str(known) == EFI_GLOBAL:
            return text
        other = uuid.uuid5(self.salt, str(known))
        return str(other) if "-" in text else other.hex

    def path(self, path: str) -> str:
        """A path, or where a link leads: UUIDs only, all else in it is the kernel's own word."""
        return _UUID.sub(lambda found: self.uuid(found[0]), path)

    def text(self, text: str) -> str:
        """What a file says."""
        text = self.path(text)
        text = _MAC.sub(lambda found: re.sub(r"[0-9a-fA-F]", "0", found[0]), text)
        text = _USER_AT_HOST.sub("user@host", text)
        text = _SERIAL.sub(r"\1\2removed", text)
        if self.names:
            every = "|".join(re.escape(name) for name in self.names)
            text = re.sub(rf"(?<![a-z0-9])(?:{every})(?![a-z0-9])", "host", text, flags=re.I)
        return text


def anonymous(seen: Seen, pseudonyms: Pseudonyms) -> Capture:
    """The one way from what was seen to an archive."""
    path = pseudonyms.path
    files = {path(place): pseudonyms.text(text) for place, text in seen.files.items()}
    links = {path(place): path(target) for place, target in seen.links.items()}
    manifest = Manifest(
        format=FORMAT,
        agent=PROGRAMS,
        kernel=files.get(KERNEL_VERSION, "").strip(),
        files=len(files),
        folders=tuple(sorted(path(folder) for folder in seen.bare_folders())),
        links=links,
        refused={path(place): name for place, name in seen.refused.items()},
        unlisted={path(place): name for place, name in seen.unlisted.items()},
        write_only=tuple(sorted(path(place) for place in seen.write_only)),
        nodes=tuple(sorted(path(place) for place in seen.nodes)),
        programs={words: pseudonyms.text(text) for words, text in seen.programs.items()},
    )
    return Capture(manifest, files)


def _parts(name: str) -> tuple[str, ...]:
    first, _, domain = name.partition(".")
    return (name, first, domain) if "." in domain else (name, first)
