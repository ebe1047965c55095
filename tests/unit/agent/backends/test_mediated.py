"""Mediated devices that come and go by somebody else's hand while the agent looks."""

from libvf_agent.backends.mediated import BUS, DEVICES, Mediated
from libvf_agent.inventory import Gpu
from libvf_agent.rules import careful
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.cards import mdpy
from tests.fakekernel.mdev import MediatedHost

THEIRS = "0b7a3ce5-3c4f-4e0d-9a63-1f0a4c7f7a11"
TYPES = f"{BUS}/mdpy/mdev_supported_types"


class Restless(MediatedHost):
    """A host where somebody removes, or makes, a device at the moment when a type's room is asked for."""

    def read(self, path: str) -> str:
        if path == f"{TYPES}/mdpy-hd/available_instances":
            if THEIRS in self.names(DEVICES):
                self.write(f"{DEVICES}/{THEIRS}/remove", "1")
            else:
                self.write(f"{TYPES}/mdpy-vga/create", THEIRS)
        return super().read(path)


def look(backend: Mediated, kernel: MediatedHost) -> Gpu:
    """As the agent looks: each file once."""
    [card] = backend.discover(Sysfs(kernel).snapshot(), careful)
    return card


def instances(card: Gpu) -> int:
    return dict(card.totals)["instances"]


def test_a_device_that_goes_meanwhile_is_not_counted_twice() -> None:
    kernel = Restless(mdpy())
    kernel.write(f"{TYPES}/mdpy-vga/create", THEIRS)
    card = look(Mediated(), kernel)
    assert card.carvings == ()
    assert instances(card) == 4


def test_a_card_is_as_large_as_ever_while_devices_come_and_go() -> None:
    kernel, backend = Restless(mdpy()), Mediated()
    kernel.write(f"{TYPES}/mdpy-vga/create", THEIRS)
    assert [instances(look(backend, kernel)) for _ in range(4)] == [4, 4, 4, 4]
