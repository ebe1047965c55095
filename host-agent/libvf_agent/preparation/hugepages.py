"""Huge pages on the kernel command line, where the order of words has a meaning.

`hugepages=N` counts pages of the size named last before it, else of the default size; so a pair is added as a
whole at the end, and a count that somebody else set is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable

from libvf_agent.errors import PreparationError
from libvf_agent.preparation.wishes import HugePages

_X86_DEFAULT = "2M"
_SPELLINGS = {"2m": "2M", "2048k": "2M", "1g": "1G", "1024m": "1G", "1048576k": "1G"}


def lacking(present: Iterable[str], wanted: tuple[HugePages, ...]) -> tuple[HugePages, ...]:
    """Those that are not on the command line with that number."""
    counts = _read(present)[1]
    return tuple(pages for pages in wanted if counts.get(pages.size) != str(pages.count))


def missing(present: Iterable[str], wanted: tuple[HugePages, ...]) -> tuple[str, ...]:
    """The words to add; PreparationError where the line has another number of that size."""
    default, counts = _read(there := tuple(present))
    todo = lacking(there, wanted)
    for pages in todo:
        if pages.size in counts:
            raise PreparationError(
                f"the kernel command line sets hugepages={counts[pages.size]} of {pages.size} already and "
                f"{pages.count} are asked for: change it where it is set, or take it back with --undo first"
            )
    if len({pages.size for pages in wanted}) < len(wanted):
        raise PreparationError("--hugepages names a size twice: name each size once")
    if not todo:
        return ()
    words = [] if default or counts else [f"default_hugepagesz={todo[0].size}"]
    for pages in todo:
        words += [f"hugepagesz={pages.size}", f"hugepages={pages.count}"]
    return tuple(words)


def _read(present: Iterable[str]) -> tuple[str | None, dict[str, str]]:
    """The default size if one is named, and how many of each size."""
    default: str | None = None
    size: str | None = None
    counts: dict[str | None, str] = {}
    for word in present:
        key, _, value = word.partition("=")
        if key == "default_hugepagesz":
            default = _SPELLINGS.get(value.lower(), value)
        elif key == "hugepagesz":
            size = _SPELLINGS.get(value.lower(), value)
        elif key == "hugepages":
            counts[size] = value
    return default, {name or default or _X86_DEFAULT: count for name, count in counts.items()}
