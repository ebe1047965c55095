"""The protocol of boot loaders: which command lines a host starts with, and what to run after one changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from libvf_agent.preparation import forms
from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.forms import Form
from libvf_agent.preparation.snapshot import Snapshot
from libvf_agent.preparation.steps import Remake


@dataclass(frozen=True, slots=True)
class Place:
    """Words in a file."""

    path: str
    form: Form

    def words(self, seen: Snapshot) -> tuple[str, ...]:
        """The words that stand there."""
        return forms.words_of(self.form, seen.text(self.path), self.path)


@dataclass(frozen=True, slots=True)
class Line:
    """One kernel command line: the kernel gets the words of all places; missing ones go into the last."""

    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a loader asks of a host: patterns of files to read, of names that tell something, and programs."""

    texts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


class Loader(Protocol):
    """One way of booting."""

    name: str
    looked: Looked

    def boots(self, facts: Facts) -> bool:
        """Whether this host boots so."""
        ...

    def lines(self, facts: Facts) -> tuple[Line, ...]:
        """The command lines, one for each way the host may start."""
        ...

    def remakes(self, facts: Facts) -> tuple[Remake, ...]:
        """What to run after a line changed, and again after it was put back."""
        ...
