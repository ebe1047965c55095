"""What the agent relies on of the PCI bus: drivers, groups and SR-IOV; the same on the fake and on the real kernel."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from libvf_agent import links, pci
from libvf_agent.effects import Effects, State
from libvf_agent.errors import Absent, Busy, Refused
from libvf_agent.steps import Bind, Mac, Reads, Undo, Write
from libvf_agent.sysfs import Files, Sysfs
from libvf_api.mac import ZERO

from lab.cards import DISPLAY, IGB, NVME, NVME_FUNCTIONS, USB
from tests.contract.nodekernel import door
from tests.fakekernel.lab import lab_bus

PROBING, COUNTING = (f"{pci.DEVICES}/{NVME}/sriov_{name}" for name in ("drivers_autoprobe", "numvfs"))


class Bus(Files, Protocol):
    """A file tree, and what the suite does beside it."""

    def held_function(self, address: str) -> AbstractContextManager[None]: ...


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.e2e)])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """A host with a disk and a network card that have virtual functions, and a display card with a USB function."""
    real = request.param == "real"
    files: Bus = request.getfixturevalue("node_kernel") if real else lab_bus()
    _clear(files)
    yield files
    _clear(files)


NATIVE = {NVME: "nvme", IGB: "igb", DISPLAY: "bochs-drm", USB: "xhci_hcd"}


def _clear(files: Files) -> None:
    """As after power-on; only what is otherwise is written, as each look at a node takes its time."""
    sysfs = Sysfs(files)
    for address, native in NATIVE.items():
        folder = f"{pci.DEVICES}/{address}"
        driver = sysfs.link_name(f"{folder}/driver")
        if driver == native and sysfs.read(f"{folder}/driver_override") == "(null)":
            continue
        if driver not in (None, native):
            files.write(f"{pci.DRIVERS}/{driver}/unbind", address)
        files.write(f"{folder}/driver_override", "\n")
        files.write(pci.PROBE, address)
    for address in (NVME, IGB):
        for name, value in (("numvfs", "0"), ("drivers_autoprobe", "1")):
            path = f"{pci.DEVICES}/{address}/sriov_{name}"
            if sysfs.read(path) != value:
                files.write(path, value)


def four_functions(files: Files) -> list[str]:
    """The disk cut into four functions that no driver takes."""
    files.write(PROBING, "0")
    files.write(COUNTING, "4")
    return pci.virtual(Sysfs(files), NVME)


def test_functions_are_read_with_driver_group_and_class(bus: Bus) -> None:
    sysfs = door(bus)
    display, usb, disk = (pci.read(sysfs, address) for address in (DISPLAY, USB, NVME))
    assert (display.pci_id, display.driver, display.is_card) == ("1234:1111", "bochs-drm", True)
    assert (usb.driver, usb.is_card) == ("xhci_hcd", False)
    assert (disk.pci_id, disk.driver, disk.class_code[:4]) == ("1b36:0010", "nvme", "0108")
    assert None not in (display.group, usb.group, disk.group)
    assert not any(function.override for function in (display, usb, disk))


def test_functions_of_one_slot_without_isolation_share_a_group(bus: Bus) -> None:
    display = pci.read(door(bus), DISPLAY)
    assert display.group is not None
    assert [f.address for f in pci.group_members(door(bus), display.group)] == [DISPLAY, USB]
    assert [f.address for f in pci.siblings(door(bus), DISPLAY)] == [DISPLAY, USB]


def test_a_card_behind_a_root_port_can_be_reset(bus: Bus) -> None:
    assert pci.read(door(bus), DISPLAY).reset_methods


def test_a_bound_function_is_on_vfio_and_back_with_its_own_driver_after(bus: Bus) -> None:
    effects = Effects(door(bus))
    before = pci.read(door(bus), DISPLAY)
    step = Bind(DISPLAY, pci.VFIO, before.driver)
    assert effects.state(step) is State.ABSENT
    effects.apply(step)
    assert effects.state(step) is State.OURS
    assert pci.read(door(bus), DISPLAY).driver == pci.VFIO
    effects.take_back(step)
    assert pci.read(door(bus), DISPLAY) == before


def test_an_override_of_no_driver_leaves_the_function_alone(bus: Bus) -> None:
    bus.write(f"{pci.DEVICES}/{USB}/driver_override", "no-such-driver")
    bus.write(f"{pci.DRIVERS}/xhci_hcd/unbind", USB)
    bus.write(pci.PROBE, USB)
    assert pci.read(door(bus), USB).driver == ""
    with pytest.raises(Refused, match="modprobe no-such-driver"):
        Effects(door(bus)).apply(Bind(USB, "no-such-driver", ""))


def test_an_override_is_cleared_by_an_empty_line(bus: Bus) -> None:
    bus.write(f"{pci.DEVICES}/{USB}/driver_override", "vfio-pci")
    assert pci.read(door(bus), USB).override == "vfio-pci"
    bus.write(f"{pci.DEVICES}/{USB}/driver_override", "\n")
    assert door(bus).read(f"{pci.DEVICES}/{USB}/driver_override") == "(null)"


def test_unbinding_from_a_driver_that_does_not_have_it_is_refused(bus: Bus) -> None:
    with pytest.raises(Absent):
        door(bus).write(f"{pci.DRIVERS}/nvme/unbind", DISPLAY)


def test_binding_what_another_driver_has_is_refused(bus: Bus) -> None:
    with pytest.raises((Absent, Busy)):
        door(bus).write(f"{pci.DRIVERS}/vfio-pci/bind", DISPLAY)


def test_probing_an_address_that_is_not_there_is_refused(bus: Bus) -> None:
    with pytest.raises(Absent):
        door(bus).write(pci.PROBE, "0000:7f:1f.7")


def test_functions_appear_where_offset_and_stride_say(bus: Bus) -> None:
    for address, count in ((NVME, NVME_FUNCTIONS), (IGB, 2)):
        physical = pci.read(door(bus), address)
        foreseen = [pci.virtual_address(physical, number) for number in range(count)]
        bus.write(f"{pci.DEVICES}/{address}/sriov_drivers_autoprobe", "0")
        bus.write(f"{pci.DEVICES}/{address}/sriov_numvfs", str(count))
        assert pci.virtual(door(bus), address) == foreseen


def test_functions_made_without_autoprobe_have_no_driver_and_groups_of_their_own(bus: Bus) -> None:
    functions = [pci.read(door(bus), address) for address in four_functions(bus)]
    assert [function.driver for function in functions] == [""] * 4
    assert len({function.group for function in functions}) == 4


def test_functions_made_with_autoprobe_are_taken_by_the_hosts_driver(bus: Bus) -> None:
    bus.write(f"{pci.DEVICES}/{IGB}/sriov_numvfs", "1")
    [address] = pci.virtual(door(bus), IGB)
    assert pci.read(door(bus), address).driver == "igbvf"


def test_more_functions_than_there_can_be_are_refused(bus: Bus) -> None:
    with pytest.raises(Refused, match="ERANGE"):
        door(bus).write(COUNTING, str(NVME_FUNCTIONS + 1))


def test_one_count_is_not_changed_into_another(bus: Bus) -> None:
    four_functions(bus)
    with pytest.raises(Busy, match="EBUSY"):
        door(bus).write(COUNTING, "2")
    door(bus).write(COUNTING, "4")


def test_a_count_that_is_no_number_is_refused(bus: Bus) -> None:
    with pytest.raises(Refused, match="EINVAL"):
        door(bus).write(COUNTING, "many")


def test_a_physical_function_without_a_driver_makes_none(bus: Bus) -> None:
    bus.write(f"{pci.DRIVERS}/nvme/unbind", NVME)
    with pytest.raises(Absent, match="ENOENT"):
        door(bus).write(COUNTING, "4")


def test_functions_are_gone_at_once_when_their_number_is_0(bus: Bus) -> None:
    [first, *_] = four_functions(bus)
    bus.write(COUNTING, "0")
    assert pci.virtual(door(bus), NVME) == []
    assert pci.read(door(bus), first).class_code == ""


def test_a_virtual_function_says_whose_it_is(bus: Bus) -> None:
    [first, *_] = four_functions(bus)
    assert door(bus).link_name(f"{pci.DEVICES}/{first}/physfn") == NVME
    assert NVME in [f.address for f in pci.physical(door(bus))]
    assert first not in [f.address for f in pci.physical(door(bus))]


def test_unbinding_blocks_while_the_function_is_open_and_the_holder_is_found(bus: Bus) -> None:
    [first, *_] = four_functions(bus)
    sysfs = door(bus)
    step = Bind(first, pci.VFIO, "")
    Effects(sysfs).apply(step)
    with bus.held_function(first):
        assert [opener.pid > 0 for opener in pci.openers(sysfs, first)] == [True]
        with pytest.raises(Busy, match="held open by"):
            Effects(sysfs).take_back(step)
        with pytest.raises(Busy, match="did not return"):
            sysfs.write_blocking(f"{pci.DRIVERS}/vfio-pci/unbind", first, deadline=2)
    sysfs.write_blocking(f"{pci.DRIVERS}/vfio-pci/unbind", first, deadline=30)
    assert pci.read(sysfs, first).driver == ""


def test_functions_that_somebody_works_with_are_not_taken_away(bus: Bus) -> None:
    evidence = Reads(COUNTING, "0", "4")
    made = Write(COUNTING, "4", evidence, Undo(COUNTING, "0"), functions=NVME, shared=True)
    bus.write(PROBING, "0")
    effects = Effects(door(bus))
    effects.apply(made)
    [first, *_] = pci.virtual(door(bus), NVME)
    Effects(door(bus)).apply(Bind(first, pci.VFIO, ""))
    with bus.held_function(first):
        effects.take_back(made)
        assert effects.state(made) is State.OURS
    effects.take_back(made)
    assert effects.state(made) is State.ABSENT


def two_network_functions(files: Files) -> str:
    """The network card cut into two functions that no driver takes; the name of its link."""
    files.write(f"{pci.DEVICES}/{IGB}/sriov_drivers_autoprobe", "0")
    files.write(f"{pci.DEVICES}/{IGB}/sriov_numvfs", "2")
    link = links.of(door(files), IGB)
    assert link is not None
    return link


def test_a_new_network_function_has_no_address_until_one_is_set_through_its_card(bus: Bus) -> None:
    link, effects = two_network_functions(bus), Effects(door(bus))
    assert door(bus).macs(link) == (ZERO, ZERO)
    step = Mac(IGB, 1, "52:54:00:12:34:56")
    assert effects.state(step) is State.ABSENT
    effects.apply(step)
    assert effects.state(step) is State.OURS
    assert links.told(door(bus), IGB)["link"] == link
    assert door(bus).macs(link) == (ZERO, "52:54:00:12:34:56")
    effects.take_back(step)
    assert door(bus).macs(link) == (ZERO, ZERO)


def test_the_address_that_a_network_function_had_comes_back(bus: Bus) -> None:
    link = two_network_functions(bus)
    bus.set_mac(link, 0, "52:54:00:00:00:01")
    step = Mac(IGB, 0, "52:54:00:12:34:56", "52:54:00:00:00:01")
    Effects(door(bus)).apply(step)
    Effects(door(bus)).take_back(step)
    assert door(bus).macs(link)[0] == "52:54:00:00:00:01"


def test_the_address_of_a_group_is_refused(bus: Bus) -> None:
    two_network_functions(bus)
    with pytest.raises(Refused, match="EINVAL"):
        Effects(door(bus)).apply(Mac(IGB, 0, "53:54:00:12:34:56"))


def test_a_network_function_that_is_not_there_gets_no_address(bus: Bus) -> None:
    two_network_functions(bus)
    with pytest.raises(Refused):
        Effects(door(bus)).apply(Mac(IGB, 7, "52:54:00:12:34:56"))


def test_addresses_go_with_their_functions(bus: Bus) -> None:
    link = two_network_functions(bus)
    step = Mac(IGB, 0, "52:54:00:12:34:56")
    Effects(door(bus)).apply(step)
    bus.write(f"{pci.DEVICES}/{IGB}/sriov_numvfs", "0")
    assert door(bus).macs(link) == ()
    assert Effects(door(bus)).state(step) is State.ABSENT


def test_a_card_without_its_driver_has_no_link(bus: Bus) -> None:
    two_network_functions(bus)
    bus.write(f"{pci.DRIVERS}/igb/unbind", IGB)
    assert links.of(door(bus), IGB) is None
    with pytest.raises(Absent, match="no Ethernet link"):
        Effects(door(bus)).apply(Mac(IGB, 0, "52:54:00:12:34:56"))
