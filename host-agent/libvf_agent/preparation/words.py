"""Words on a kernel command line: found, added and taken out, with every other byte left alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_OURS = re.compile(r"[A-Za-z0-9_.,=:+-]+")

# their value is a list of which one is enough; of other keys the last word counts
_LISTS = {"intel_iommu", "amd_iommu", "iommu"}
_NEGATIVE = {"off", "nopt"}
_TRUE = {"1", "y", "Y", "on"}
# GVT-g does not start where the GuC submits the work
_AGAINST = {"i915.enable_gvt=1": {"i915.enable_guc=1", "i915.enable_guc=3"}}


@dataclass(frozen=True, slots=True)
class Change:
    """What a command line needs: words to add at its end, words to take out because they say the contrary."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def split(line: str) -> tuple[str, ...]:
    """The words; one in double quotes may hold blanks, as the kernel reads it."""
    return tuple(_WORD.findall(line))


def satisfies(present: str, wanted: str) -> bool:
    """Whether `present` already says what `wanted` says; the kernel takes - and _ in a key for the same."""
    (key, value), (wanted_key, wanted_value) = _parts(present), _parts(wanted)
    if key != wanted_key:
        return False
    if key in _LISTS:
        return wanted_value in value.split(",") and not contradicts(present, wanted)
    if key == "i915.enable_gvt" and wanted_value in _TRUE:
        return value in _TRUE
    return value == wanted_value


def contradicts(present: str, wanted: str) -> bool:
    """Whether `present` would undo what `wanted` says."""
    (key, value), (wanted_key, wanted_value) = _parts(present), _parts(wanted)
    if "=".join((key, value)) in _AGAINST.get(wanted, ()):
        return True
    # what turns either maker's IOMMU off speaks against any word on how it is to work
    if key != wanted_key and not (wanted_key == "iommu" and key in _LISTS):
        return False
    if key in _LISTS:
        return bool(_NEGATIVE & set(value.split(",")))
    return value != wanted_value and not (key == "i915.enable_gvt" and {value, wanted_value} <= _TRUE)


def change(present: Iterable[str], wanted: Iterable[str]) -> Change:
    """Only what is missing is added, each once, in order; only what says the contrary is taken out, each time."""
    there, asked = tuple(present), tuple(dict.fromkeys(wanted))
    return Change(
        add=tuple(word for word in asked if not any(satisfies(other, word) for other in there)),
        remove=tuple(other for other in there if any(contradicts(other, word) for word in asked)),
    )


def appended(line: str, add: Iterable[str]) -> str:
    """The line with the words at its end: `without` of the same words gives the line back, byte for byte."""
    for word in add:
        if not _OURS.fullmatch(word):
            raise ValueError(f"{word!r} needs quotes, and none are written here")
        line = f"{line} {word}" if line else word
    return line


def without(line: str, remove: Iterable[str]) -> str:
    """The line without the words: of each the last one, with the blank before it."""
    for word in reversed(tuple(remove)):
        found = list(re.finditer(rf"(?<![^\s\"']){re.escape(word)}(?![^\s\"'])", line))
        if found:
            start, end = found[-1].span()
            if start and line[start - 1] in " \t":
                start -= 1
            elif line[end : end + 1] in (" ", "\t"):
                end += 1
            line = line[:start] + line[end:]
    return line


def without_in(pieces: Iterable[str], remove: Iterable[str]) -> list[str]:
    """The pieces of a command line without the words, each taken out once, of the last piece that has it."""
    left = list(pieces)
    for word in reversed(tuple(remove)):
        for index in reversed(range(len(left))):
            piece = without(left[index], (word,))
            if piece != left[index]:
                left[index] = piece
                break
    return left


def _parts(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key.replace("-", "_"), value
