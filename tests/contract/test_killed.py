"""kill -9 of the agent before and after every effect: never two devices for a claim, never one leaked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from libvf_agent.backends.known import known
from libvf_agent.cards import Part, cards_of
from libvf_agent.carve import Carver
from libvf_agent.errors import AgentError
from libvf_agent.journal import Entry, Journal, Phase, Slice
from libvf_agent.planning import planned
from libvf_agent.slices import pool_name
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.host import FakeHost
from tests.fakekernel.situations import SITUATIONS, Situation

UID = "0a1b2c3d-0000-4000-8000-000000000001"
MOST = 60


class Killed(BaseException):
    """The process is gone."""


class Machine:
    """A host whose agent dies at the `at`th point (before or after a journal record or a kernel write)."""

    def __init__(self, situation: Situation, folder: Path) -> None:
        self.situation = situation
        self.kernel: FakeHost = situation.host()
        self.folder = folder
        self.before = situation.state(self.kernel)
        self.points = 0
        self.lived = False

    def start(self, kill_at: int | None = None, fail_at: int | None = None) -> Carver:
        """A new agent process."""
        self.points = 0

        def point() -> None:
            self.points += 1
            if self.points - 1 == kill_at:
                raise Killed
            if self.points - 1 == fail_at:
                raise OSError(5, "Input/output error")

        self.kernel.around = point
        return Carver(Sysfs(self.kernel), MortalJournal(self.folder, point), deadline=1)

    def wanted(self) -> Entry:
        pool = pool_name("n1", self.situation.card)
        slices = tuple(Slice("gpu", pool, device, mac=self.situation.mac) for device in self.situation.devices)
        return Entry(UID, "ns", "claim", self.kernel.boot_id, Phase.STARTED, slices)

    def plan(self, entry: Entry) -> Entry:
        found = (Part(b, gpu) for b in known() for gpu in b.discover(Sysfs(self.kernel), self.situation.rules))
        carver = Carver(Sysfs(self.kernel), Journal(self.folder))
        return planned("n1", cards_of(found), entry, frozenset(), carver.shared())

    def die(self, action: Callable[..., object], *arguments: object) -> None:
        """The action, killed or lived through."""
        try:
            action(*arguments)
            self.lived = True
        except Killed:
            self.lived = False

    def fails(self, action: Callable[..., object], *arguments: object) -> bool:
        """Whether the action failed."""
        try:
            action(*arguments)
            self.lived = True
        except (AgentError, OSError):
            self.lived = False
        return not self.lived

    def state(self) -> object:
        """All that carving could change on the host."""
        return self.situation.state(self.kernel)


class MortalJournal(Journal):
    """A journal in whose process the agent may die around every record."""

    def __init__(self, folder: Path, point: Callable[[], None]) -> None:
        super().__init__(folder)
        self._point = point

    def put(self, entry: Entry) -> None:
        self._point()
        super().put(entry)
        self._point()

    def drop(self, uid: str) -> None:
        self._point()
        super().drop(uid)
        self._point()


@pytest.fixture(params=SITUATIONS)
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Iterator[tuple[int, Machine]]]:
    """A fresh machine for each point at which it may be killed, until one lives through."""

    def each() -> Iterator[tuple[int, Machine]]:
        for at in range(MOST):
            machine = Machine(SITUATIONS[request.param], tmp_path / str(at))
            yield at, machine
            if machine.lived:
                return
        raise AssertionError(f"still killed at point {MOST}")

    return each


Machines = Callable[[], Iterator[tuple[int, Machine]]]


def test_killed_while_carving_then_asked_again_everything_is_there_once(machines: Machines) -> None:
    for at, machine in machines():
        machine.die(machine.start(at).ensure, machine.wanted(), machine.plan)
        agent = machine.start()
        assert agent.recover() == [], at
        done = agent.ensure(machine.wanted(), machine.plan)
        assert agent.whole(done), at
        assert len({s.plan.id for s in done.slices if s.plan}) == len(machine.situation.devices), at
        agent.undo(done)
        assert machine.state() == machine.before, at


def test_killed_while_carving_and_never_asked_again_nothing_leaks(machines: Machines) -> None:
    for at, machine in machines():
        machine.die(machine.start(at).ensure, machine.wanted(), machine.plan)
        agent = machine.start()
        assert agent.recover() == [], at
        entry = Journal(machine.folder).get(UID)
        changed = machine.state() != machine.before
        assert (entry is not None) == changed, f"{at}: a device without an entry, or the reverse"
        assert entry is None or entry.phase is Phase.COMPLETED, at
        if entry:
            agent.undo(entry)
        assert machine.state() == machine.before, at


def test_killed_while_giving_back_nothing_is_left(machines: Machines) -> None:
    for at, machine in machines():
        done = machine.start().ensure(machine.wanted(), machine.plan)
        machine.die(machine.start(at).undo, done)
        agent = machine.start()
        assert agent.recover() == [], at
        left = Journal(machine.folder).get(UID)
        if left:
            assert agent.whole(left), f"{at}: what the journal calls completed is not there"
            agent.undo(left)
        assert machine.state() == machine.before, at


def test_a_step_that_fails_while_carving_is_undone_with_all_before_it(machines: Machines) -> None:
    for at, machine in machines():
        if machine.fails(machine.start(fail_at=at).ensure, machine.wanted(), machine.plan):
            agent = machine.start()
            assert agent.recover() == [], at
            left = Journal(machine.folder).get(UID)
            if left:  # the failure came after the record that it was completed
                assert agent.whole(left), at
                agent.undo(left)
            assert machine.state() == machine.before, at


def test_a_step_that_fails_while_giving_back_is_done_when_it_is_asked_again(machines: Machines) -> None:
    for at, machine in machines():
        done = machine.start().ensure(machine.wanted(), machine.plan)
        if machine.fails(machine.start(fail_at=at).undo, done):
            agent = machine.start()
            assert agent.recover() == [], at
            left = Journal(machine.folder).get(UID)
            if left:
                agent.undo(left)
        assert machine.state() == machine.before, at


def test_after_a_power_cut_at_any_point_the_claim_is_carved_once(machines: Machines) -> None:
    for at, machine in machines():
        machine.die(machine.start(at).ensure, machine.wanted(), machine.plan)
        machine.kernel.around = lambda: None
        machine.kernel.reboot()
        fresh = machine.state()
        agent = machine.start()
        assert agent.recover() == [], at
        done = agent.ensure(machine.wanted(), machine.plan)
        assert agent.whole(done), at
        agent.undo(done)
        assert machine.state() == fresh, at


def test_the_points_cover_every_record_and_every_write(machines: Machines) -> None:
    _, machine = next(machines())
    done = machine.start().ensure(machine.wanted(), machine.plan)
    assert machine.points >= 2 * (2 + len(machine.situation.devices))
    machine.start().undo(done)
    assert machine.points >= 2 * (2 + len(machine.situation.devices))
