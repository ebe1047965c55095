"""How a host boots: found by its files and programs, or refused with the words to add by hand."""

import pytest
from libvf_agent.errors import UnknownLayout

from tests.unit.agent.preparation.conftest import Make
from tests.unit.agent.preparation.hosts import os_release
from tests.unit.agent.preparation.preparing import planned, prepare, told


def test_an_unknown_way_of_booting_names_what_was_looked_for_and_the_words(host: Make) -> None:
    some = host("debian")
    (some.root / "boot/grub/grub.cfg").unlink()
    with pytest.raises(UnknownLayout) as error:
        planned(some)
    for piece in ("Debian GNU/Linux 13", "/etc/default/grub", "kernelstub", "by hand", "intel_iommu=on iommu=pt"):
        assert piece in str(error.value)


def test_words_added_by_hand_are_enough_where_the_way_of_booting_is_unknown(host: Make) -> None:
    some = host("debian", proc__cmdline="root=UUID=1 intel_iommu=on iommu=pt\n")
    (some.root / "boot/grub/grub.cfg").unlink()
    assert [place for _, place in told(planned(some))] == ["/etc/modules-load.d/libvf.conf"]


def test_an_image_of_ostree_is_left_to_its_own_tool(host: Make) -> None:
    with pytest.raises(UnknownLayout, match="rpm-ostree kargs --append=intel_iommu=on --append=iommu=pt"):
        planned(host("fedora", **{"run/ostree-booted": ""}))


def test_entries_that_take_their_options_from_grub_are_left_to_grubby(host: Make) -> None:
    some = host("fedora")
    some.replace("boot/loader/entries/0123-6.12.conf", "root=UUID=1 rw  quiet", "$kernelopts")
    with pytest.raises(UnknownLayout, match=r"/boot/loader/entries/0123-6.12.conf .*grubby --update-kernel=ALL"):
        planned(some)


def test_other_variables_of_grub_in_an_entry_are_kept(host: Make) -> None:
    some = host("fedora")
    some.replace("boot/loader/entries/0123-6.12.conf", "rw  quiet", "rw $tuned_params")
    prepare(some)
    text = some.read("boot/loader/entries/0123-6.12.conf")
    assert text.endswith("options  root=UUID=1 rw $tuned_params intel_iommu=on iommu=pt\n")


def test_with_grub_installed_beside_it_the_loader_that_started_this_boot_counts(host: Make) -> None:
    some = host("arch-grub", **{"boot/loader/entries/arch.conf": "linux /vmlinuz\noptions root=UUID=1\n"})
    assert planned(some).loader == "GRUB"
    info = "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    (some.root / info).parent.mkdir(parents=True)
    (some.root / info).write_bytes(b"\x06\0\0\0" + "systemd-boot 257".encode("utf-16-le"))
    assert planned(some).loader == "systemd-boot"


def test_derivatives_are_known_by_their_files(host: Make) -> None:
    some = host("debian")
    some.write("etc/os-release", os_release("Linux Mint 22", "linuxmint", "ubuntu debian")["etc/os-release"])
    assert [remake.argv for remake in planned(some).remakes] == [("update-grub",)]
