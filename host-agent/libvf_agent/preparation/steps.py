"""What a plan is made of: frozen steps that say what, where and why; each can be taken back."""

from __future__ import annotations

import shlex
from enum import StrEnum

import msgspec

from libvf_agent.preparation.forms import Form


class Section(StrEnum):
    """Under which heading a step is told."""

    COMMAND_LINE = "Kernel command line"
    MODULES = "Kernel modules"
    KVM = "/dev/kvm and its group"
    REMAKE = "Made anew from what changed"


class Edit(msgspec.Struct, frozen=True):
    """Words added to and taken out of one command line in a file."""

    form: Form
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class WriteFile(msgspec.Struct, frozen=True, tag=True):
    """A whole file of our own; what stood there before is kept and put back."""

    path: str
    content: str
    section: Section
    why: str

    @property
    def what(self) -> str:
        """In words."""
        return f"write {' '.join(line for line in self.content.splitlines() if line[:1] not in ('', '#'))!r}"

    @property
    def where(self) -> str:
        """The file."""
        return f"/{self.path}"


class EditKernelCommandLine(msgspec.Struct, frozen=True, tag=True):
    """Words of the kernel command line in a file of the host's; nothing else in it is touched."""

    path: str
    edits: tuple[Edit, ...]
    why: str
    section: Section = Section.COMMAND_LINE

    @property
    def what(self) -> str:
        """In words."""
        add = [word for edit in self.edits for word in edit.add]
        remove = [word for edit in self.edits for word in edit.remove]
        parts = [f"{verb} {' '.join(some)}" for verb, some in (("take out", remove), ("add", add)) if some]
        return ", ".join(parts)

    @property
    def where(self) -> str:
        """The file, and the variable where it has several."""
        forms = [edit.form for edit in self.edits if edit.form in (Form.GRUB_DEFAULT, Form.GRUB_ALL)]
        return f"/{self.path}" + (f" ({', '.join(forms)})" if forms else "")


class Evidence(msgspec.Struct, frozen=True):
    """A step was done if a line of the file matches."""

    path: str
    pattern: str


class Run(msgspec.Struct, frozen=True, tag=True):
    """A program that changes a state of its own, and the one that takes it back."""

    argv: tuple[str, ...]
    undo: tuple[str, ...]
    evidence: Evidence
    section: Section
    why: str

    @property
    def what(self) -> str:
        """In words."""
        return f"run {shlex.join(self.argv)}"

    @property
    def where(self) -> str:
        """The file that changes."""
        return f"/{self.evidence.path}"


class Remake(msgspec.Struct, frozen=True, tag=True):
    """A program that makes something anew from files; run after they changed, and again after they are put back."""

    argv: tuple[str, ...]
    where: str
    why: str
    section: Section = Section.REMAKE

    @property
    def what(self) -> str:
        """In words."""
        return f"run {shlex.join(self.argv)}"


Step = WriteFile | EditKernelCommandLine | Run
