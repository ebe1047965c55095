"""The executor: journals a claim's plans, applies them, and takes them back.

Record, act, record. Killed at any point, the next start finds an entry and either undoes it (`started`,
`undoing`) or finds it whole (`completed`). Kubelet asks again for whatever it got no answer to, so undoing is
always right for what was only started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from libvf_agent.effects import Effects, State
from libvf_agent.errors import AgentError, SysfsError
from libvf_agent.journal import Entry, Journal, Phase, remainder
from libvf_agent.steps import Run, Step, Write
from libvf_agent.sysfs import REMOVE_DEADLINE_SECONDS, Sysfs

BOOT_ID = "proc/sys/kernel/random/boot_id"


class Carver:
    """Carries out entries; synchronous, one call at a time for a claim."""

    def __init__(self, sysfs: Sysfs, journal: Journal, deadline: float = REMOVE_DEADLINE_SECONDS) -> None:
        self._sysfs = sysfs
        self._journal = journal
        self._effects = Effects(sysfs, deadline)

    def boot_id(self) -> str:
        """Which boot of the host this is: nothing of what is carved survives it."""
        return self._sysfs.read(BOOT_ID)

    def known(self, uid: str) -> bool:
        """Whether the journal has the claim."""
        return self._journal.get(uid) is not None

    def whole(self, entry: Entry) -> bool:
        """Whether the entry was completed in this boot and its devices are still there."""
        if entry.phase is not Phase.COMPLETED or entry.boot_id != self.boot_id():
            return False
        return all(self.done(step) for step in steps(entry))

    def done(self, step: Step) -> bool:
        """Whether the step's effect is there; what a driver refuses to tell is not gone by that."""
        try:
            return self._effects.state(step) is State.OURS
        except SysfsError:
            return True

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
            for step in steps(entry):
                self._effects.apply(step)
        except AgentError:
            self.undo(entry)
            raise
        done = entry.at(Phase.COMPLETED)
        self._journal.put(done)
        return done

    def undo(self, entry: Entry) -> None:
        """Takes the entry's devices back and forgets it last; Busy names who holds one open.

        What was made in another boot went with it: whatever is there now in its place is not ours. Functions of
        ours that somebody else works on are remembered in an entry of their own, and taken back when he has gone.
        """
        self._journal.put(entry.at(Phase.UNDOING))
        left = frozenset[Step]()
        if entry.boot_id == self.boot_id():
            kept = self._kept(entry)
            todo = [step for step in reversed(list(steps(entry))) if step not in kept]
            left = frozenset(step for step in todo if not self._effects.take_back(step))
        if left:
            self._journal.put(remainder(entry, left))
        if not left or not entry.is_remainder:
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

    def shared(self) -> frozenset[Step]:
        """The shared steps that stand in the journal for this boot: who plans anew joins in them."""
        boot = self.boot_id()
        return frozenset(s for e in self._journal.readable()[0] if e.boot_id == boot for s in steps(e) if is_shared(s))

    def _kept(self, entry: Entry) -> frozenset[Step]:
        """The entry's steps that another claim stands on too."""
        if not any(is_shared(step) for step in steps(entry)):
            return frozenset()
        others = (other for other in self._journal.readable()[0] if other.uid != entry.uid)
        return frozenset(s for e in others if e.boot_id == entry.boot_id for s in steps(e) if is_shared(s))


def steps(entry: Entry) -> Iterator[Step]:
    """All steps of an entry in their order; one that several of its plans share comes once."""
    seen: set[Step] = set()
    for piece in entry.slices:
        for step in piece.plan.steps if piece.plan else ():
            if step not in seen:
                yield step
            seen.add(step)


def is_shared(step: Step) -> bool:
    """Whether several claims may stand on it."""
    return isinstance(step, (Write, Run)) and step.shared


def _same_allocation(one: Entry, other: Entry) -> bool:
    return sorted(piece.key for piece in one.slices) == sorted(piece.key for piece in other.slices)
