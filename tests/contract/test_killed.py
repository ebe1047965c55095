"""kill -9 of the agent before and after every effect: never two devices for a claim, never one leaked."""

from pathlib import Path

import msgspec
import pytest
from libvf_agent.backends.mediated import Mediated
from libvf_agent.carve import Carver
from libvf_agent.journal import Entry, Journal, Phase, Slice
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.cards import mbochs, mdpy, nvidia
from tests.fakekernel.mdev import Card, MediatedHost

UID = "0a1b2c3d-0000-4000-8000-000000000001"
CARDS = {"mdpy": (mdpy, ("xga-0", "hd-0")), "mbochs": (mbochs, ("small-0",)), "nvidia": (nvidia, ("702-0", "702-1"))}
POINTS = range(16)


class Killed(BaseException):
    """The process is gone."""


class Machine:
    """A host whose agent dies at the `at`th point (before or after a journal record or a kernel write)."""

    def __init__(self, card: Card, devices: tuple[str, ...], folder: Path) -> None:
        self.kernel = MediatedHost(card)
        self.devices = devices
        self.folder = folder
        self.foreign = self.kernel.mdev.make(card.parents[-1], self._foreign_type(card))
        self.points = 0

    def _foreign_type(self, card: Card) -> str:
        return next(t for t in card.types if t.endswith(("xga", "small", "702")))

    def start(self, kill_at: int | None = None) -> Carver:
        """A new agent process."""
        self.points = 0

        def point() -> None:
            self.points += 1
            if self.points - 1 == kill_at:
                raise Killed

        self.kernel.around = point
        return Carver(Sysfs(self.kernel), MortalJournal(self.folder, point), deadline=1)

    def wanted(self) -> Entry:
        slices = tuple(Slice("gpu", "pool", device) for device in self.devices)
        return Entry(UID, "ns", "claim", self.kernel.boot_id, Phase.STARTED, slices)

    def plan(self, entry: Entry) -> Entry:
        gpu = Mediated().discover(Sysfs(self.kernel))[0]
        plans = Mediated().plan(gpu, self.devices, entry.uid)
        slices = (msgspec.structs.replace(s, plan=p) for s, p in zip(entry.slices, plans, strict=True))
        return msgspec.structs.replace(entry, slices=tuple(slices))

    def ours(self) -> set[str]:
        return set(self.kernel.mdev.devices) - {self.foreign}


class MortalJournal(Journal):
    """A journal in whose process the agent may die around every record."""

    def __init__(self, folder: Path, point) -> None:  # type: ignore[no-untyped-def]
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


@pytest.fixture(params=CARDS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    card, devices = CARDS[request.param]
    return Machine(card(), devices, tmp_path)


def die(action, *arguments) -> bool:  # type: ignore[no-untyped-def]
    """Whether the action was killed."""
    try:
        action(*arguments)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("at", POINTS)
def test_killed_while_carving_then_asked_again_there_is_one_device_each(machine: Machine, at: int) -> None:
    died = die(machine.start(at).ensure, machine.wanted(), machine.plan)
    assert died == (at < machine.points)
    agent = machine.start()
    assert agent.recover() == []
    done = agent.ensure(machine.wanted(), machine.plan)
    assert machine.ours() == {s.plan.uuid for s in done.slices if s.plan}
    assert len(machine.ours()) == len(machine.devices)
    assert machine.foreign in machine.kernel.mdev.devices


@pytest.mark.parametrize("at", POINTS)
def test_killed_while_carving_and_never_asked_again_nothing_leaks(machine: Machine, at: int) -> None:
    died = die(machine.start(at).ensure, machine.wanted(), machine.plan)
    agent = machine.start()
    assert agent.recover() == []
    entry = Journal(machine.folder).get(UID)
    assert (entry is not None) == bool(machine.ours()), "a device without an entry, or an entry without one"
    assert entry is None or entry.phase is Phase.COMPLETED
    if entry:
        agent.undo(entry)
    assert machine.ours() == set()
    assert died or at >= 4
    assert machine.foreign in machine.kernel.mdev.devices


@pytest.mark.parametrize("at", POINTS)
def test_killed_while_giving_back_nothing_is_left(machine: Machine, at: int) -> None:
    done = machine.start().ensure(machine.wanted(), machine.plan)
    die(machine.start(at).undo, done)
    agent = machine.start()
    assert agent.recover() == []
    left = Journal(machine.folder).get(UID)
    assert (left is not None) == bool(machine.ours())
    if left:
        agent.undo(left)
    assert machine.ours() == set()
    assert machine.foreign in machine.kernel.mdev.devices


@pytest.mark.parametrize("at", POINTS)
def test_after_a_power_cut_at_any_point_the_claim_is_carved_once(machine: Machine, at: int) -> None:
    die(machine.start(at).ensure, machine.wanted(), machine.plan)
    machine.kernel.reboot()
    agent = machine.start()
    assert agent.recover() == []
    agent.ensure(machine.wanted(), machine.plan)
    assert len(machine.kernel.mdev.devices) == len(machine.devices)


def test_the_points_cover_every_record_and_every_write(machine: Machine) -> None:
    done = machine.start().ensure(machine.wanted(), machine.plan)
    assert machine.points == 2 * (2 + len(machine.devices))
    machine.start().undo(done)
    assert machine.points == 2 * (2 + len(machine.devices)) <= len(POINTS)
