"""A VirtualMachine while it is made of a file of LibVF.IO's, and what is said of each of its keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from libvf_cli.original.document import BadOriginal
from libvf_cli.original.keys import ANYTHING_BELOW, KEYS, general


class Outcome(StrEnum):
    """What becomes of a key; `changed` is carried with a difference that must be known."""

    CARRIED = "carried"
    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Note:
    """A key of the file, its value, and the field it became or why there is none."""

    key: str
    value: Any
    outcome: Outcome
    field: str
    why: str = ""


@dataclass(slots=True)
class Draft:
    """`given` is the file; `spec` and `policies` grow, and so does what is told of its keys."""

    name: str
    given: dict[str, Any]
    spec: dict[str, Any] = field(default_factory=dict)
    policies: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def value(self, path: str, within: dict[str, Any] | None = None, name: str = "") -> Any:
        """A key's value in the file, else the original's own default."""
        source, key = (self.given, path) if within is None else (within, name)
        return source[key] if key in source else KEYS[general(path)].default

    def carried(self, path: str, value: Any, field: str = "") -> None:
        """It became its field."""
        self.notes.append(Note(path, value, Outcome.CARRIED, field or KEYS[general(path)].field))

    def changed(self, path: str, value: Any, why: str, field: str = "") -> None:
        """It became its field, with a difference."""
        self.notes.append(Note(path, value, Outcome.CHANGED, field or KEYS[general(path)].field, why))

    def dropped(self, path: str, value: Any, why: str = "") -> None:
        """It has no equal, and why."""
        self.notes.append(Note(path, value, Outcome.DROPPED, "", why or KEYS[general(path)].why))

    def finished(self) -> tuple[Note, ...]:
        """All that was said, and of every key that nobody spoke of that it is unknown."""
        spoken = {note.key for note in self.notes}
        for path, value in leaves(self.given):
            above = {path[:at] for at, mark in enumerate(path) if mark in "[."}
            if spoken & {path, *above}:
                continue
            if general(path) in KEYS and value in (None, "", [], {}):
                self.carried(path, value, "it says nothing")
            else:
                self._unknown(path, value)
        return tuple(self.notes)

    def _unknown(self, path: str, value: Any) -> None:
        """A key that LibVF.IO does not have, or one of a kind that it has not there."""
        top = general(path).partition(".")[0].removesuffix("[]")
        why = KEYS[top].why if top in ANYTHING_BELOW else "LibVF.IO's format has no such key here: is it misspelt?"
        self.notes.append(Note(path, value, Outcome.DROPPED, "", why))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of a file with its path; what is empty is one itself."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for number, part in enumerate(value):
            yield from leaves(part, f"{path}[{number}]")
    else:
        yield path, value


def whole(path: str, value: Any) -> int:
    """A number; raises BadOriginal with the key."""
    try:
        return int(str(value), 0)
    except ValueError as error:
        raise BadOriginal(f"{path}: {value!r} is no whole number") from error


def truth(path: str, value: Any) -> bool:
    """A yes or no; raises BadOriginal with the key."""
    words = {"true": True, "false": False, "none": False}
    if str(value).lower() not in words:
        raise BadOriginal(f"{path}: {value!r} is neither true nor false")
    return words[str(value).lower()]


def listed(path: str, value: Any) -> list[Any]:
    """A list, empty for null; raises BadOriginal with the key."""
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise BadOriginal(f"{path}: {value!r} is no list")
    return value


def mapped(path: str, value: Any) -> dict[str, Any]:
    """A map, empty for null; a list of one map of one key is one too. Raises BadOriginal with the key."""
    if value is None or value == []:
        return {}
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict):
        raise BadOriginal(f"{path}: {value!r} is no map of keys")
    return value
