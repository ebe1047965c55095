"""The executor where devices are held open: nothing is forgotten before it is gone."""

from pathlib import Path

import pytest
from libvf_agent.carve import Carver
from libvf_agent.errors import Busy
from libvf_agent.journal import Entry
from libvf_agent.sysfs import Sysfs

from tests.contract.test_killed import Machine
from tests.fakekernel.cards import mdpy
from tests.fakekernel.mdev import Device, Mdev, MediatedHost
from tests.fakekernel.situations import Situation


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(Situation(lambda: MediatedHost(mdpy()), "mdpy", ("xga-0",)), tmp_path)


def mediated(machine: Machine) -> Mdev:
    assert isinstance(machine.kernel, MediatedHost)
    return machine.kernel.mdev


def devices(machine: Machine) -> dict[str, Device]:
    return mediated(machine).devices


def carved(machine: Machine) -> tuple[Carver, Entry, str]:
    agent = machine.start()
    done = agent.ensure(machine.wanted(), machine.plan)
    [uuid] = set(devices(machine))
    return agent, done, uuid


def test_a_device_that_is_open_is_not_removed_and_its_holder_is_named(machine: Machine) -> None:
    agent, done, uuid = carved(machine)
    mediated(machine).open(uuid)
    with pytest.raises(Busy, match=r"held open by qemu-system-x86 \(pid 4711\)"):
        agent.undo(done)
    assert uuid in devices(machine)
    assert not devices(machine)[uuid].leaving


def test_a_removal_that_the_kernel_holds_up_is_remembered_until_it_is_done(machine: Machine) -> None:
    agent, done, uuid = carved(machine)
    mediated(machine).open(uuid, hidden=True)
    for _ in range(2):
        with pytest.raises(Busy):
            agent.undo(done)
        assert agent.known(done.uid), "forgotten before it was gone"
    machine.kernel.close()
    agent.undo(done)
    assert set(devices(machine)) == set()
    assert not agent.known(done.uid)


def test_after_a_restart_a_removal_still_held_up_is_not_taken_for_done(machine: Machine) -> None:
    agent, done, uuid = carved(machine)
    mediated(machine).open(uuid, hidden=True)
    with pytest.raises(Busy):
        agent.undo(done)
    agent = machine.start()
    assert [type(failure) for failure in agent.recover()] == [Busy]
    with pytest.raises(Busy, match="still being removed"):
        agent.ensure(machine.wanted(), machine.plan)
    machine.kernel.close()


def test_a_claim_whose_old_device_is_on_its_way_out_is_carved_once_it_is_gone(machine: Machine) -> None:
    agent, done, uuid = carved(machine)
    mediated(machine).open(uuid, hidden=True)
    with pytest.raises(Busy):
        agent.undo(done)
    machine.kernel.close()
    again = agent.ensure(machine.wanted(), machine.plan)
    assert {s.plan.id for s in again.slices if s.plan} == set(devices(machine))
    assert Sysfs(machine.kernel).names("sys/bus/mdev/devices")
