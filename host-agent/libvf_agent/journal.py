"""What was promised to which claim: recorded before it is done, and again when it is.

One file a claim, `<state>/journal/<claim uid>.json`. A file that can not be read is set aside as
`.unreadable` and named in an error, never overwritten or taken for empty: it may be the only trace of a
device. One process holds the folder's lock, as two agents overlap while a DaemonSet is updated.
"""

from __future__ import annotations

import fcntl
import os
from enum import StrEnum
from pathlib import Path

import msgspec

from libvf_agent.errors import JournalError
from libvf_agent.files import remove_whole, sync_folder, write_whole
from libvf_agent.rules import Rules
from libvf_agent.steps import Facts, Plan, Step

REMAINDER = "left-"


class Phase(StrEnum):
    """How far a claim has come."""

    STARTED = "started"
    COMPLETED = "completed"
    UNDOING = "undoing"


class Slice(msgspec.Struct, frozen=True):
    """One allocated device of a claim; `plan` is None where nothing is made for it (kvm, virtual-gpu).

    `rules` are those of the card when the plan was made: they hold for as long as the device is there. `mac` is the
    address that the claim asks for, `amounts` what it takes of a device that many share.
    """

    request: str
    pool: str
    device: str
    share: str | None = None
    plan: Plan | None = None
    rules: Rules | None = None
    facts: Facts = {}
    mac: str = ""
    amounts: dict[str, int] = {}

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the allocation said; two allocations are the same if these are."""
        return (self.request, self.pool, self.device, self.share or "")


class Entry(msgspec.Struct, frozen=True):
    """One claim: who, in which boot of the host, how far, and its devices with their plans."""

    uid: str
    namespace: str
    name: str
    boot_id: str
    phase: Phase
    slices: tuple[Slice, ...]
    pod_claim_name: str | None = None
    generation: int = 0

    @property
    def is_remainder(self) -> bool:
        """Whether it is no claim, but what could not be taken back with one."""
        return self.uid.startswith(REMAINDER)

    def at(self, phase: Phase) -> Entry:
        """The same in another phase."""
        return msgspec.structs.replace(self, phase=phase)


def remainder(entry: Entry, left: frozenset[Step]) -> Entry:
    """The steps that could not be taken back with a claim, as an entry of their own: of no claim, on the same cards."""
    uid = REMAINDER + entry.uid.removeprefix(REMAINDER)
    slices = []
    for piece in entry.slices:
        steps = tuple(step for step in (piece.plan.steps if piece.plan else ()) if step in left)
        if piece.plan and steps:
            plan = Plan(uid, piece.plan.parent, "", "", steps)
            slices.append(Slice("", piece.pool, "", plan=plan, rules=piece.rules))
    return Entry(uid, "", "", entry.boot_id, Phase.UNDOING, tuple(slices))


class Journal:
    """The folder of entries, and its lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def lock(self) -> None:
        """Takes the folder for this process; JournalError if another has it."""
        handle = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise JournalError(f"{self._folder} is held by another agent: it is waited for") from error
        self._lock = handle

    def unlock(self) -> None:
        """Gives the folder back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def put(self, entry: Entry) -> None:
        """Records the entry; when this returns it survives a power cut."""
        write_whole(self._path(entry.uid), msgspec.json.encode(entry), 0o600)

    def drop(self, uid: str) -> None:
        """Forgets the claim; call it only after its devices are gone."""
        remove_whole(self._path(uid))

    def get(self, uid: str) -> Entry | None:
        """The claim's entry, None if there is none; JournalError if it was or is unreadable."""
        path = self._path(uid)
        aside = path.with_suffix(".unreadable")
        if aside.exists():
            raise JournalError(f"{aside} could not be read: remove its devices by hand, then this file")
        try:
            return msgspec.json.decode(path.read_bytes(), type=Entry)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            path.rename(aside)
            sync_folder(self._folder)
            raise JournalError(f"{path} is not readable ({error}): kept as {aside.name}") from error

    def uids(self) -> list[str]:
        """The claims that have an entry, readable or not."""
        return sorted(path.stem for path in self._folder.glob("*.json") if not path.name.startswith("."))

    def readable(self) -> tuple[list[Entry], list[JournalError]]:
        """All entries, and what is wrong with the others."""
        entries: list[Entry] = []
        errors: list[JournalError] = []
        for uid in self.uids():
            try:
                entry = self.get(uid)
            except JournalError as error:
                errors.append(error)
            else:
                entries += [entry] if entry else []
        return entries, errors

    def _path(self, uid: str) -> Path:
        if not uid or not all(c.isalnum() or c == "-" for c in uid):
            raise JournalError(f"{uid!r} is not a claim's UID: nothing was done")
        return self._folder / f"{uid}.json"


def peek(folder: Path) -> list[Entry]:
    """The entries that can be read, for who only looks: no lock, and nothing is made or set aside."""
    entries = []
    for path in sorted(folder.glob("[!.]*.json")):
        try:
            entries.append(msgspec.json.decode(path.read_bytes(), type=Entry))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return entries
