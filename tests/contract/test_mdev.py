"""What the agent relies on of the kernel's mediated devices; the same on the fake and on the real kernel."""

import threading
import uuid

import pytest
from libvf_agent.backends.mediated import BUS, DEVICES, Mediated, observe
from libvf_agent.errors import Absent, AlreadyThere, Busy, Full, Refused
from libvf_agent.inventory import Gpu
from libvf_agent.rules import careful
from libvf_agent.sysfs import Files, Sysfs

from tests.contract.conftest import Kernel
from tests.contract.nodekernel import door
from tests.integration.fakenode import until

XGA = f"{BUS}/mdpy/mdev_supported_types/mdpy-xga"


def gpu(kernel: Files, name: str) -> Gpu:
    return next(card for card in Mediated().discover(Sysfs(kernel), careful) if card.name == name)


def make(kernel: Files, folder: str = XGA) -> str:
    name = str(uuid.uuid4())
    Sysfs(kernel).write(f"{folder}/create", name)
    return name


def test_the_sample_cards_are_found_with_their_sizes(kernel: Files) -> None:
    assert {t.id: t.available for t in gpu(kernel, "mbochs").types} == {
        "mbochs-small": 64,
        "mbochs-medium": 16,
        "mbochs-large": 4,
    }
    assert {t.id for t in gpu(kernel, "mdpy").types} == {"mdpy-vga", "mdpy-xga", "mdpy-hd"}
    assert {t.id: t.available for t in gpu(kernel, "mtty").types} == {"mtty-1": 24, "mtty-2": 12}


def test_a_made_device_is_seen_with_parent_type_and_group(kernel: Files) -> None:
    name = make(kernel)
    seen = observe(Sysfs(kernel), name)
    assert seen is not None
    assert (seen.parent, seen.type) == ("mdpy", "mdpy-xga")
    assert seen.iommu_group is not None


def test_all_types_of_mdpy_share_its_four(kernel: Files) -> None:
    make(kernel)
    assert {t.available for t in gpu(kernel, "mdpy").types} == {3}


def test_the_same_uuid_twice_is_refused_even_on_another_parent(kernel: Files) -> None:
    name = make(kernel)
    with pytest.raises(AlreadyThere):
        Sysfs(kernel).write(f"{BUS}/mtty/mdev_supported_types/mtty-1/create", name)


def test_the_fifth_display_is_refused_as_full(kernel: Files) -> None:
    for _ in range(4):
        make(kernel)
    with pytest.raises(Full):
        make(kernel)


def test_what_is_no_uuid_is_refused(kernel: Files) -> None:
    with pytest.raises(Refused):
        Sysfs(kernel).write(f"{XGA}/create", "not-a-uuid")


def test_a_removed_device_is_gone_and_its_instance_free(kernel: Files) -> None:
    name = make(kernel)
    Sysfs(kernel).write_blocking(f"{DEVICES}/{name}/remove", "1")
    assert observe(Sysfs(kernel), name) is None
    assert {t.available for t in gpu(kernel, "mdpy").types} == {4}


def test_a_device_that_was_removed_is_absent_to_the_second_remove(kernel: Files) -> None:
    name = make(kernel)
    Sysfs(kernel).write(f"{DEVICES}/{name}/remove", "1")
    with pytest.raises(Absent):
        Sysfs(kernel).write(f"{DEVICES}/{name}/remove", "1")


def test_a_type_that_is_not_there_is_absent(kernel: Files) -> None:
    with pytest.raises(Absent):
        Sysfs(kernel).write(f"{BUS}/mdpy/mdev_supported_types/mdpy-8k/create", str(uuid.uuid4()))


def test_a_newline_after_the_uuid_is_taken(kernel: Files) -> None:
    name = str(uuid.uuid4())
    Sysfs(kernel).write(f"{XGA}/create", name + "\n")
    assert observe(Sysfs(kernel), name)


def test_an_upper_case_uuid_is_shown_in_lower_case(kernel: Files) -> None:
    name = str(uuid.uuid4())
    Sysfs(kernel).write(f"{XGA}/create", name.upper())
    assert kernel.names(DEVICES) == [name]


def test_what_only_takes_writes_can_not_be_read(kernel: Files) -> None:
    with pytest.raises(OSError, match=r"ermission|nput"):
        kernel.read(f"{XGA}/create")


def test_a_description_may_be_missing(kernel: Files) -> None:
    assert Sysfs(kernel).read_or(f"{BUS}/mtty/mdev_supported_types/mtty-1/description", "none") == "none"
    assert Sysfs(kernel).read(f"{XGA}/description") == "virtual display, 1024x768 framebuffer"


def test_the_types_of_mbochs_draw_on_one_pool_of_memory(kernel: Files) -> None:
    large = f"{BUS}/mbochs/mdev_supported_types/mbochs-large"
    for _ in range(3):
        make(kernel, large)
    assert {t.id: t.available for t in gpu(kernel, "mbochs").types} == {
        "mbochs-small": 16,
        "mbochs-medium": 4,
        "mbochs-large": 1,
    }
    make(kernel, large)
    with pytest.raises(Full):
        make(kernel, f"{BUS}/mbochs/mdev_supported_types/mbochs-small")


def test_removing_blocks_while_the_device_is_open_and_goes_on_when_it_is_closed(kernel: Kernel) -> None:
    name, sysfs = make(kernel), Sysfs(kernel)
    with kernel.held(name):
        with pytest.raises(Busy):
            sysfs.write_blocking(f"{DEVICES}/{name}/remove", "1", deadline=2)
        # gone from the bus at once, and from its parent only when it is closed; the write goes on after the deadline,
        # and over a slow way to a node it may only then begin
        until(lambda: kernel.names(DEVICES) == [])
        assert not sysfs.exists(f"{DEVICES}/{name}/remove")
        assert sysfs.exists(f"{BUS}/mdpy/{name}")
        assert sysfs.link_name(f"{BUS}/mdpy/{name}/iommu_group")
        assert {t.available for t in gpu(kernel, "mdpy").types} == {3}
    sysfs.write_blocking(f"{DEVICES}/{name}/remove", "1", deadline=30)
    assert not sysfs.exists(f"{BUS}/mdpy/{name}")


def test_who_holds_a_device_open_is_found(kernel: Kernel) -> None:
    name, sysfs = make(kernel), door(kernel)
    node = f"/dev/vfio/{sysfs.link_name(f'{DEVICES}/{name}/iommu_group')}"
    with kernel.held(name):
        [opener] = sysfs.openers(node)
        assert opener.pid > 0
        assert opener.command


def test_two_at_once_get_what_is_left_and_no_more(kernel: Files) -> None:
    for _ in range(3):
        make(kernel)
    outcomes: list[str] = []

    def one() -> None:
        try:
            outcomes.append(make(kernel))
        except Full:
            outcomes.append("full")

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("full") == 1
    assert len(kernel.names(DEVICES)) == 4
