"""The executor: records each change, makes it, and runs what depends on it. Killed anywhere, it can be run again."""

from __future__ import annotations

import re

import msgspec

from libvf_agent.errors import ChangedSince
from libvf_agent.preparation import forms, words
from libvf_agent.preparation.commands import Commands
from libvf_agent.preparation.forms import Form
from libvf_agent.preparation.manifest import Before, FileChange, Manifest, RunChange, State, Version
from libvf_agent.preparation.plan import Plan
from libvf_agent.preparation.root import HostRoot, digest
from libvf_agent.preparation.steps import Edit, EditKernelCommandLine, Evidence, Run, Step, WriteFile


class Executor:
    """Applies plans below a root; one at a time, held by the state folder's lock."""

    def __init__(self, root: HostRoot, commands: Commands) -> None:
        self._root = root
        self._commands = commands
        self._state = State(root)
        self._manifest = Manifest()

    def apply(self, plan: Plan) -> None:
        """Makes all changes, then all that depends on them; nothing, not even the state folder, for an empty plan.

        What must be made anew is owed from before the first change: a run that was cut short is not taken for done.
        """
        if plan.empty:
            return
        with self._state.held():
            self._manifest = self._state.load() or Manifest()
            self._save(self._manifest.owing(plan.remakes))
            for path in self._manifest.paths:
                self._root.sweep(path)
            for step in plan.steps:
                self._apply(step)
            pay(self._state, self._manifest, self._commands)

    def _apply(self, step: Step) -> None:
        match step:
            case WriteFile(path=path, content=content):
                self._write(path, content.encode(errors="surrogateescape"), ())
            case EditKernelCommandLine(path=path, edits=edits):
                self._write(path, edited(self._root, path, edits), edits)
            case Run():
                self._save(self._manifest.with_change(RunChange(step)))
                if not done(self._root, step.evidence):
                    self._commands.run(step.argv)

    def _write(self, path: str, content: bytes, edits: tuple[Edit, ...]) -> None:
        owned = self._root.owned(path)
        now = self._root.read(path)
        record = self._recorded(path, now, edits)
        version = Version(digest(content), edits)
        self._save(self._manifest.with_change(msgspec.structs.replace(record, written=(*record.written, version))))
        for folder in record.folders:
            self._root.make_folder(folder)
        self._root.put(path, content, owned)

    def _recorded(self, path: str, now: bytes | None, edits: tuple[Edit, ...]) -> FileChange:
        """The file's record, up to the version that is there: a later one was recorded and never written."""
        known = self._manifest.file(path)
        if known is None:
            return self._first_record(path, now, edits)
        now_digest = None if now is None else digest(now)
        before = known.before.digest if known.before else None
        history = [before, *(version.digest for version in known.written)]
        if now_digest in history:
            return msgspec.structs.replace(known, written=known.written[: history.index(now_digest)])
        if not edits:
            raise ChangedSince(f"/{path} was changed since it was written here: take it back with --undo first")
        return msgspec.structs.replace(known, foreign=True)

    def _first_record(self, path: str, now: bytes | None, edits: tuple[Edit, ...]) -> FileChange:
        is_entry = any(edit.form is Form.ENTRY for edit in edits)
        siblings = tuple(self._root.glob(f"{path.rpartition('/')[0]}/*.conf")) if is_entry else ()
        owned = self._root.owned(path)
        if now is None or owned is None:
            return FileChange(path, None, (), self._root.missing_folders(path), siblings=siblings)
        self._state.keep(path, now)
        return FileChange(path, Before(digest(now), owned.mode, owned.uid, owned.gid), (), siblings=siblings)

    def _save(self, manifest: Manifest) -> None:
        self._state.save(manifest)
        self._manifest = manifest


def pay(state: State, manifest: Manifest, commands: Commands) -> Manifest:
    """Runs what is due, each forgotten only after it ran."""
    for remake in manifest.due:
        commands.run(remake.argv)
        manifest = manifest.paid(remake)
        state.save(manifest)
    return manifest


def edited(root: HostRoot, path: str, edits: tuple[Edit, ...]) -> bytes:
    """The file's content after the edits."""
    text = root.text(path) or ""
    for edit in edits:
        text = forms.edited(edit.form, text, words.Change(edit.add, edit.remove), path)
    return text.encode(errors="surrogateescape")


def done(root: HostRoot, evidence: Evidence) -> bool:
    """Whether the evidence is there."""
    return re.search(evidence.pattern, root.text(evidence.path) or "", re.MULTILINE) is not None
