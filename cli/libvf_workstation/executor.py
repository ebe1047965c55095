"""The executor: records each step, makes it; killed anywhere, it can be run again."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.files import write_whole
from libvf_workstation.journal import Journal
from libvf_workstation.payload import Bundle
from libvf_workstation.progress import step as shown
from libvf_workstation.steps import Expected, File, Folder, Link, Setting, Step, Unpacked


@dataclass(frozen=True, slots=True)
class Executor:
    """Applies steps and takes back what the journal says was made."""

    journal: Journal
    bundle: Bundle

    def apply(self, step: Step) -> bool:
        """Makes it so; whether anything had to be done. Foreign where something else is in its place."""
        match step:
            case Folder(path=path, mode=mode):
                self.journal.claim(path)
                fresh = not path.is_dir()
                path.mkdir(parents=True, exist_ok=True)
                path.chmod(mode)
                return fresh
            case File(path=path, text=text, mode=mode):
                self.journal.claim(path)
                if path.is_file() and path.read_text() == text and path.stat().st_mode & 0o7777 == mode:
                    return False
                write_whole(path, text, mode)
                return True
            case Link(path=path, target=target):
                self.journal.claim(path)
                if path.is_symlink() and path.readlink() == target:
                    return False
                path.unlink(missing_ok=True)
                path.symlink_to(target)
                return True
            case Unpacked():
                return self._unpack(step)
            case Expected(path=path, alone=alone):
                if alone or not os.path.lexists(path):
                    self.journal.claim(path)
                return False
            case Setting(path=path):
                return self._keep(path)

    def take_back(self) -> None:
        """Removes what was made, the last first, and the journal when nothing but it is left."""
        home = self.journal.file.parent
        for name in reversed(self.journal.made):
            if Path(name) != home:
                remove(Path(name))
        for entry in home.glob("*"):
            if entry != self.journal.file:
                remove(entry)
        remove(home)

    def put_settings_back(self) -> None:
        """The kernel's settings as they were before the first run."""
        for name, value in self.journal.settings.items():
            if Path(name).exists():
                Path(name).write_text(value)

    def _unpack(self, step: Unpacked) -> bool:
        stamp, path = self.bundle.stamp(step.member), step.path
        self.journal.claim(path)
        if path.is_dir() and self.journal.stamps.get(str(path)) == stamp:
            return False
        partial = path.with_name(f"{path.name}.partial")
        self.journal.claim(partial)
        remove(partial)
        with shown(f"unpacking {path}"):
            self.bundle.unpack(step.member, partial)
        remove(path)
        # what is at the place is the stamp's from here on, or not there
        self.journal.stamps[str(path)] = stamp
        self.journal.save()
        partial.rename(path)
        return True

    def _keep(self, path: Path) -> bool:
        if str(path) in self.journal.settings or not path.exists():
            return False
        self.journal.settings[str(path)] = path.read_text()
        self.journal.save()
        return True


def remove(path: Path) -> None:
    """Removes what is there; nothing to do where nothing is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
