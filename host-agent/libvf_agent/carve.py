"""The executor: journals a claim's plans, applies them, and takes them back.

Record, act, record. Killed at any point, the next start finds an entry and either undoes it (`started`,
`undoing`) or finds it whole (`completed`). Kubelet asks again for whatever it got no answer to, so undoing is
always right for what was only started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, auto

from libvf_agent.errors import Absent, AgentError, AlreadyThere, Busy, NotOurs
from libvf_agent.journal import Entry, Journal, Phase
from libvf_agent.steps import Evidence, Write
from libvf_agent.sysfs import REMOVE_DEADLINE_SECONDS, Sysfs

BOOT_ID = "proc/sys/kernel/random/boot_id"


class Carver:
    """Carries out entries; synchronous, one call at a time for a claim."""

    def __init__(self, sysfs: Sysfs, journal: Journal, deadline: float = REMOVE_DEADLINE_SECONDS) -> None:
        self._sysfs = sysfs
        self._journal = journal
        self._deadline = deadline

    def boot_id(self) -> str:
        """Which boot of the host this is: a new one has no mediated devices."""
        return self._sysfs.read(BOOT_ID)

    def known(self, uid: str) -> bool:
        """Whether the journal has the claim."""
        return self._journal.get(uid) is not None

    def whole(self, entry: Entry) -> bool:
        """Whether the entry was completed in this boot and its devices are still there."""
        if entry.phase is not Phase.COMPLETED or entry.boot_id != self.boot_id():
            return False
        return all(self._state(step.evidence) is _State.OURS for step in _steps(entry))

    def ensure(self, wanted: Entry, plan: Callable[[Entry], Entry]) -> Entry:
        """The entry, carved. `plan` fills in plans and facts; it is called only where something must be made.

        What the journal has for this claim in another allocation, or not whole, is undone first.
        """
        known = self._journal.get(wanted.uid)
        if known and _same_allocation(known, wanted) and self.whole(known):
            return known
        if known:
            self.undo(known)
        return self._carve(plan(wanted))

    def _carve(self, entry: Entry) -> Entry:
        self._journal.put(entry.at(Phase.STARTED))
        try:
            for step in _steps(entry):
                self._apply(step)
        except AgentError:
            self.undo(entry)
            raise
        done = entry.at(Phase.COMPLETED)
        self._journal.put(done)
        return done

    def undo(self, entry: Entry) -> None:
        """Takes the entry's devices back and forgets it last; Busy names who holds one open."""
        self._journal.put(entry.at(Phase.UNDOING))
        for step in reversed(list(_steps(entry))):
            self._take_back(step)
        self._journal.drop(entry.uid)

    def recover(self) -> list[AgentError]:
        """Undoes what a killed agent left unfinished; returns what it could not mend."""
        entries, unreadable = self._journal.readable()
        failures: list[AgentError] = list(unreadable)
        for entry in entries:
            if entry.phase is Phase.COMPLETED:
                continue
            try:
                self.undo(entry)
            except AgentError as error:
                failures.append(error)
        return failures

    def _apply(self, step: Write) -> None:
        """The write; a device of that UUID is ours only if it is of the same parent and type."""
        try:
            self._sysfs.write(step.path, step.value)
        except AlreadyThere as error:
            state = self._state(step.evidence)
            if state is _State.LEAVING:
                raise Busy(f"/{step.evidence.path} is still being removed: stop what holds it open") from error
            if state is not _State.OURS:
                raise NotOurs(
                    f"/{step.evidence.path} exists and is not of /{step.evidence.same_as}: "
                    "whoever made it must remove it"
                ) from error

    def _take_back(self, step: Write) -> None:
        """The undo, after a look at who holds the device; nothing where it is gone or not ours."""
        if self._state(step.evidence) in (_State.ABSENT, _State.FOREIGN):
            return
        self._refuse_if_open(step)
        try:
            self._sysfs.write_blocking(step.undo.path, step.undo.value, self._deadline)
        except Absent as error:
            if self._state(step.evidence) is not _State.ABSENT:
                raise Busy(f"/{step.evidence.path} is still being removed: stop what holds it open") from error

    def _refuse_if_open(self, step: Write) -> None:
        device = step.evidence.path
        group = self._sysfs.link_name(f"{device}/iommu_group")
        holders = self._sysfs.openers(f"/dev/vfio/{group}") if group else []
        if holders:
            names = ", ".join(map(str, holders))
            raise Busy(f"/{device} is held open by {names}: stop it, then the device is removed")

    def _state(self, evidence: Evidence) -> _State:
        leads_to = self._sysfs.real(evidence.link)
        if leads_to is None:
            return _State.LEAVING if self._sysfs.exists(evidence.path) else _State.ABSENT
        return _State.OURS if leads_to == self._sysfs.real(evidence.same_as) else _State.FOREIGN


class _State(Enum):
    """What of a step's effect is there."""

    ABSENT = auto()
    OURS = auto()
    LEAVING = auto()  # being removed, and held up by whoever has it open
    FOREIGN = auto()  # of that name, and not made by this step


def _steps(entry: Entry) -> Iterator[Write]:
    return (step for piece in entry.slices if piece.plan for step in piece.plan.steps)


def _same_allocation(one: Entry, other: Entry) -> bool:
    return sorted(piece.key for piece in one.slices) == sorted(piece.key for piece in other.slices)
