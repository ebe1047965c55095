"""What the agent relies on of the kernel's mediated devices; the same on the fake and on the real kernel."""

import uuid

import pytest
from libvf_agent.backends.mediated import BUS, DEVICES, Mediated
from libvf_agent.errors import AlreadyThere, Full, Refused
from libvf_agent.inventory import Gpu
from libvf_agent.sysfs import Files, Sysfs

XGA = f"{BUS}/mdpy/mdev_supported_types/mdpy-xga"


def gpu(kernel: Files, name: str) -> Gpu:
    return next(card for card in Mediated().discover(Sysfs(kernel)) if card.name == name)


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
    seen = Mediated().observe(Sysfs(kernel), name)
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
    assert Mediated().observe(Sysfs(kernel), name) is None
    assert {t.available for t in gpu(kernel, "mdpy").types} == {4}
