"""Boot loader entries: one small file a kernel, whose `options` are its command line."""

from __future__ import annotations

import re

from libvf_agent.errors import UnknownLayout
from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.forms import Form
from libvf_agent.preparation.loaders.loader import Line, Place

CMDLINE = "etc/kernel/cmdline"


def of(facts: Facts, *folders: str) -> tuple[str, ...]:
    """The entries that start Linux, by path; not those for other systems or for a memory test."""
    texts = facts.seen.texts_like(*(f"{folder}/loader/entries/*.conf" for folder in folders))
    return tuple(path for path, text in texts.items() if re.search(r"^linux[ \t]", text, re.MULTILINE))


def lines(facts: Facts, paths: tuple[str, ...]) -> tuple[Line, ...]:
    """A line for each entry, and for /etc/kernel/cmdline, from which the entries of later kernels are made."""
    for path in paths:
        if "$kernelopts" in Place(path, Form.ENTRY).words(facts.seen):
            raise UnknownLayout(
                f"/{path} takes its options from a variable of GRUB's: change them with "
                'grubby --update-kernel=ALL --args="WORDS" and reboot, then run this again'
            )
    found = [Line((Place(path, Form.ENTRY),)) for path in paths]
    if CMDLINE in facts.seen.texts:
        found.append(Line((Place(CMDLINE, Form.FILE),)))
    return tuple(found)
