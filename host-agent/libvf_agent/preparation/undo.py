"""Taking a preparation back: every file as it was, then made anew what depends on them, then the record forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field

from libvf_agent.errors import ChangedSince, PreparationError
from libvf_agent.preparation.commands import Commands
from libvf_agent.preparation.executor import done, edited, pay
from libvf_agent.preparation.forms import Form, words_of
from libvf_agent.preparation.manifest import FileChange, Manifest, RunChange, State
from libvf_agent.preparation.root import HostRoot, digest
from libvf_agent.preparation.steps import Edit


@dataclass
class Undo:
    """One run of taking back; `told` says what was done, for people."""

    root: HostRoot
    commands: Commands
    told: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Takes everything back; PreparationError names what could not be, all else is back all the same."""
        state = State(self.root)
        if state.load() is None:
            state.forget()
            return self.told
        with state.held():
            manifest = state.load() or Manifest()
            manifest = manifest.owing(manifest.remakes)
            state.save(manifest)
            manifest, failures = self._take_back(state, manifest)
            pay(state, manifest, self.commands)
            self.told += [f"ran {' '.join(remake.argv)}" for remake in manifest.due]
            if failures:
                raise PreparationError("\n".join(failures))
            state.forget()
        return self.told

    def _take_back(self, state: State, manifest: Manifest) -> tuple[Manifest, list[str]]:
        failures: list[str] = []
        for change in reversed(manifest.changes):
            try:
                if isinstance(change, FileChange):
                    self._file(state, change)
                else:
                    self._run(change)
            except PreparationError as error:
                failures.append(str(error))
                continue
            manifest = manifest.without_change(change)
            state.save(manifest)
        return manifest, failures

    def _run(self, change: RunChange) -> None:
        if done(self.root, change.step.evidence):
            self.commands.run(change.step.undo)
            self.told.append(f"ran {' '.join(change.step.undo)}")

    def _file(self, state: State, change: FileChange) -> None:
        self.root.sweep(change.path)
        now = self.root.read(change.path)
        ours = {version.digest for version in change.written}
        if now is None:
            if change.before:
                self.told.append(f"/{change.path} was removed by somebody else and stays so")
        elif change.before and not change.foreign and digest(now) in {change.before.digest, *ours}:
            self.root.put(change.path, state.kept(change.path), change.before.owned)
            self.told.append(f"/{change.path} is as it was")
        elif not change.before and digest(now) in ours:
            self.root.remove(change.path)
            self.told.append(f"/{change.path} is removed")
        else:
            self._words(change)
        self._later_entries(change)
        for folder in reversed(change.folders):
            self.root.remove_folder(folder)

    def _words(self, change: FileChange) -> None:
        """Out of a file that somebody else changed since, only our words; a whole file of ours is theirs now."""
        edits = tuple(edit for version in change.written for edit in version.edits)
        if not edits:
            raise ChangedSince(
                f"/{change.path} was changed since it was written here: take the change out or remove the file, "
                "then run --undo again"
            )
        back = tuple(Edit(edit.form, edit.remove, edit.add) for edit in reversed(edits))
        self.root.put(change.path, edited(self.root, change.path, back), self.root.owned(change.path))
        self.told.append(f"/{change.path} was changed since: only the words added here are taken out of it")

    def _later_entries(self, change: FileChange) -> None:
        """Entries of kernels installed since: they were made from the running kernel's words, ours among them."""
        added = tuple(
            w for version in change.written for edit in version.edits if edit.form is Form.ENTRY for w in edit.add
        )
        folder = change.path.rpartition("/")[0]
        for path in self.root.glob(f"{folder}/*.conf") if added else ():
            if path in change.siblings or not set(added) & set(words_of(Form.ENTRY, self.root.text(path) or "", path)):
                continue
            back = (Edit(Form.ENTRY, (), added),)
            self.root.put(path, edited(self.root, path, back), self.root.owned(path))
            self.told.append(f"/{path} came since and has the words too: they are taken out of it")
