"""What each kind of step does to the kernel, how it is seen that it was done, and how it is taken back.

Everything here may be called again: a step that is done is not done twice, one that is not there is not taken
back, and what somebody else made is left alone.
"""

from __future__ import annotations

import time
from enum import Enum, auto

from libvf_agent import addresses, pci, vfio
from libvf_agent.errors import Absent, AlreadyThere, Busy, NotOurs, Refused
from libvf_agent.steps import Bind, Leads, Mac, Reads, Run, Step, Write
from libvf_agent.sysfs import REMOVE_DEADLINE_SECONDS, Sysfs

RETRY_SECONDS = 0.25


class State(Enum):
    """What of a step's effect is there."""

    ABSENT = auto()
    OURS = auto()
    PARTIAL = auto()  # begun and not finished: a function between two drivers
    LEAVING = auto()  # being removed, and held up by whoever has it open
    FOREIGN = auto()  # there, and not made by this step


class Effects:
    """The steps carried out over one host's files."""

    def __init__(self, sysfs: Sysfs, deadline: float = REMOVE_DEADLINE_SECONDS) -> None:
        self._sysfs = sysfs
        self._deadline = deadline

    def state(self, step: Step) -> State:
        """What of the step is there now."""
        if isinstance(step, Bind):
            return self._bound(step)
        if isinstance(step, Mac):
            return State.OURS if addresses.is_set(self._sysfs, step) else State.ABSENT
        if isinstance(step.evidence, Leads):
            return self._led(step.evidence)
        return self._read(step.evidence)

    def apply(self, step: Step) -> None:
        """Does it; NotOurs where somebody else did, Busy where what was there before is still leaving."""
        if isinstance(step, Bind):
            self._bind(step)
        elif isinstance(step, Mac):
            addresses.put(self._sysfs, step, self._deadline)
        elif isinstance(step, Run):
            if self._begin(step):
                for argv in (step.argv, *step.then):
                    self._run(argv, step.busy)
                self._require(step, "the program ended well and nothing changed; see its log")
        else:
            self._write(step)

    def take_back(self, step: Step) -> bool:
        """Undoes it, after a look at who holds the device; Busy with their names.

        False where somebody else works on functions that we made: they stay for as long as he does.
        """
        if self.state(step) in (State.ABSENT, State.FOREIGN):
            return True
        if isinstance(step, Bind):
            self._unbind(step)
            return True
        if isinstance(step, Mac):
            addresses.put_back(self._sysfs, step, self._deadline)
            return True
        if step.functions and self._used_functions(step.functions):
            return False
        if isinstance(step, Run):
            self._run(step.undo, step.busy)
        else:
            self._unwrite(step)
        if isinstance(step, Run) or not step.shapes:
            self._require_gone(step)
        return True

    # programs

    def _run(self, argv: tuple[str, ...], busy: str) -> None:
        until = time.monotonic() + self._deadline
        while True:
            try:
                self._sysfs.run(argv)
                return
            except Refused as error:
                if not busy or busy not in str(error):
                    raise
                if time.monotonic() >= until:
                    raise Busy(f"{' '.join(argv)} says {busy}: stop what has the card open") from error
                time.sleep(RETRY_SECONDS)

    # one value into one file

    def _write(self, step: Write) -> None:
        if step.shapes:
            self._shape(step)
            return
        if not isinstance(step.evidence, Leads) and not self._begin(step):
            return
        try:
            self._sysfs.write(step.path, step.value)
        except AlreadyThere as error:
            if self.state(step) is State.OURS:
                return
            self._refuse(step, error)
        if isinstance(step.evidence, Reads):
            self._require(step, "the driver took the write and changed nothing; see the kernel log of this node")

    def _shape(self, step: Write) -> None:
        """One more value for what is ours; NotOurs where somebody else has it by now."""
        if self.state(step) is not State.OURS:
            self._refuse(step, None)
        if self._sysfs.read_or(step.path, "") != step.value:
            self._sysfs.write(step.path, step.value)

    def _begin(self, step: Write | Run) -> bool:
        """Whether it is to be done; values carry no name, so one that is there already is somebody else's."""
        state = self.state(step)
        if state is State.OURS and step.shared:
            return False
        if state is not State.ABSENT:
            self._refuse(step, None)
        return True

    def _refuse(self, step: Write | Run, error: Exception | None) -> None:
        if self.state(step) is State.LEAVING:
            raise Busy(f"/{step.evidence.path} is still being removed: stop what holds it open") from error
        if isinstance(step.evidence, Leads):
            what = f"/{step.evidence.path} exists and is not of /{step.evidence.same_as}"
        else:
            reads = self._sysfs.read_or(step.evidence.path, "nothing")
            what = f"/{step.evidence.path} reads {reads}, where {step.evidence.before} was expected"
        raise NotOurs(f"{what}: whoever made it must remove it") from error

    def _unwrite(self, step: Write) -> None:
        self._refuse_if_open(step)
        until = time.monotonic() + self._deadline
        while True:
            try:
                self._sysfs.write_blocking(step.undo.path, step.undo.value, self._deadline)
                return
            except Absent as error:
                if self.state(step) is not State.ABSENT:
                    raise Busy(f"/{step.evidence.path} is still being removed: stop what holds it open") from error
                return
            except Busy:
                if time.monotonic() >= until:
                    raise
                time.sleep(RETRY_SECONDS)  # drivers release a device some time after its last user has closed it

    def _refuse_if_open(self, step: Write) -> None:
        if not step.device:
            return
        holders = self._sysfs.openers(*vfio.nodes(self._sysfs, step.device))
        if holders:
            names = ", ".join(map(str, holders))
            raise Busy(f"/{step.device} is held open by {names}: stop it, then the device is removed")

    def _used_functions(self, physical: str) -> bool:
        return any(pci.in_use(self._sysfs, address) for address in pci.virtual(self._sysfs, physical))

    def _require(self, step: Write | Bind | Run, cure: str) -> None:
        if self.state(step) is not State.OURS:
            raise Refused(f"{_told(step)} had no effect: {cure}")

    def _require_gone(self, step: Write | Run) -> None:
        if isinstance(step.evidence, Reads) and self.state(step) is State.OURS:
            raise Busy(f"/{step.evidence.path} is still as it was made: the driver has not released it yet")

    # a function to another driver

    def _bind(self, step: Bind) -> None:
        function = pci.read(self._sysfs, step.address)
        folder = f"{pci.DEVICES}/{step.address}"
        if not function.class_code:
            raise Absent(f"{step.address} is gone: see the kernel log of this node")
        if function.driver not in (step.was, step.driver):
            raise NotOurs(f"{step.address} is held by {function.driver}: who bound it must unbind it")
        if function.driver == step.driver:
            return
        self._refuse_if_used(step)
        self._sysfs.write(f"{folder}/driver_override", step.driver)
        if function.driver:
            path = f"{pci.DRIVERS}/{function.driver}/unbind"
            self._sysfs.write_blocking(path, step.address, self._deadline)
        self._sysfs.write(pci.PROBE, step.address)
        self._require(step, f"modprobe {step.driver} on this node, and see its kernel log")

    def _refuse_if_used(self, step: Bind) -> None:
        holders = pci.openers(self._sysfs, step.address)
        if holders:
            names = ", ".join(map(str, holders))
            raise Busy(f"{step.address} is held open by {names}: stop it, or exclude this card by a GpuPolicy")

    def _unbind(self, step: Bind) -> None:
        if step.was == step.driver:
            return
        folder = f"{pci.DEVICES}/{step.address}"
        if self._sysfs.link_name(f"{folder}/driver") == step.driver:
            self._refuse_if_used(step)
            self._sysfs.write_blocking(f"{pci.DRIVERS}/{step.driver}/unbind", step.address, self._deadline)
        self._sysfs.write(f"{folder}/driver_override", step.override or "\n")
        if step.was:
            self._sysfs.write(pci.PROBE, step.address)

    def _bound(self, step: Bind) -> State:
        function = pci.read(self._sysfs, step.address)
        now, before = (function.driver, function.override), (step.was, step.override)
        if not function.class_code or now == before:
            return State.OURS if function.class_code and step.was == step.driver else State.ABSENT
        if now == (step.driver, step.driver):
            return State.OURS
        begun = function.override == step.driver and function.driver in ("", step.was)
        ended = now == ("", step.override)
        return State.PARTIAL if begun or ended else State.FOREIGN

    # evidence

    def _led(self, evidence: Leads) -> State:
        leads_to = self._sysfs.real(evidence.link)
        if leads_to is None:
            return State.LEAVING if self._sysfs.exists(evidence.path) else State.ABSENT
        return State.OURS if leads_to == self._sysfs.real(evidence.same_as) else State.FOREIGN

    def _read(self, evidence: Reads) -> State:
        try:
            text = self._sysfs.read(evidence.path)
        except Absent:
            return State.ABSENT
        if text == evidence.before:
            return State.ABSENT
        return State.OURS if evidence.value in (None, text) else State.FOREIGN


def _told(step: Write | Bind | Run) -> str:
    if isinstance(step, Bind):
        return f"binding {step.address} to {step.driver}"
    return f"running {' '.join(step.argv)}" if isinstance(step, Run) else f"writing {step.value!r} to /{step.path}"
