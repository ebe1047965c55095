"""A host prepared and taken back: the tree is as it was, byte for byte."""

import os

import pytest
from libvf_agent.errors import ChangedSince, CommandFailed, PreparationError
from libvf_agent.preparation.manifest import STATE
from libvf_agent.preparation.wishes import HugePages, Wishes

from tests.unit.agent.preparation.conftest import Make
from tests.unit.agent.preparation.hosts import INTEL_UHD, LAYOUT, NVIDIA_A2, Host
from tests.unit.agent.preparation.preparing import planned, prepare, take_back, told

EVERYTHING = Wishes(gvt=True, hugepages=(HugePages("2M", 64), HugePages("1G", 64)), users=("ada",))
WORDS = {"intel": ["intel_iommu=on", "iommu=pt"], "amd": ["iommu=pt"]}


def full(host: Make, layout: str, cpu: str = "intel") -> Host:
    """A host on which everything there is to do must be done."""
    some = host(layout, cpu, cards=(NVIDIA_A2, INTEL_UHD), etc__group="root:x:0:\nvideo:x:44:ada\n")
    some.write("usr/lib/udev/rules.d/50-udev-default.rules", 'KERNEL=="kvm", GROUP="kvm", MODE="0666"\n')
    return some


@pytest.mark.parametrize("cpu", WORDS)
@pytest.mark.parametrize("layout", LAYOUT)
def test_every_way_of_starting_then_has_the_words_after_what_was_there(host: Make, layout: str, cpu: str) -> None:
    some = host(layout, cpu)
    before = some.starts_with()
    prepare(some)
    assert before
    assert some.starts_with() == [[*words, *WORDS[cpu]] for words in before]


@pytest.mark.parametrize("cpu", WORDS)
@pytest.mark.parametrize("layout", LAYOUT)
def test_taken_back_the_tree_is_as_it_was(host: Make, layout: str, cpu: str) -> None:
    some = full(host, layout, cpu)
    before = some.tree()
    prepare(some, EVERYTHING)
    assert some.tree(without=STATE) != before
    take_back(some)
    assert some.tree() == before


@pytest.mark.parametrize("layout", LAYOUT)
def test_prepared_again_there_is_nothing_to_do(host: Make, layout: str) -> None:
    some = full(host, layout)
    prepare(some, EVERYTHING)
    after, some.ran = some.tree(), []
    assert prepare(some, EVERYTHING).empty
    assert (some.tree(), some.ran) == (after, [])


@pytest.mark.parametrize("layout", LAYOUT)
def test_more_asked_for_later_is_added_and_all_of_it_is_taken_back(host: Make, layout: str) -> None:
    some = full(host, layout)
    before = some.tree()
    prepare(some)
    prepare(some, Wishes(xe_max_vfs=4))
    prepare(some, Wishes(xe_max_vfs=7, gvt=True))
    assert all({"xe.max_vfs=7", "i915.enable_gvt=1"} <= set(words) for words in some.starts_with())
    assert all("xe.max_vfs=4" not in words for words in some.starts_with())
    assert "kvmgt" in some.read("etc/modules-load.d/libvf.conf").splitlines()
    take_back(some)
    assert some.tree() == before


@pytest.mark.parametrize("layout", LAYOUT)
def test_asking_for_less_later_takes_nothing_away(host: Make, layout: str) -> None:
    some = full(host, layout)
    prepare(some, EVERYTHING)
    assert planned(some).empty


def test_looking_changes_nothing(host: Make) -> None:
    some = full(host, "debian")
    before = some.tree()
    assert not planned(some, EVERYTHING).empty
    assert (some.tree(), some.ran) == (before, [])


def test_a_host_on_which_all_is_so_gets_no_state_folder(host: Make) -> None:
    some = host("debian", etc__modules="vfio\nvfio_pci\nvfio_iommu_type1\nkvm_intel\nmdev\n")
    some.replace("etc/default/grub", "quiet", "iommu=pt intel_iommu=on")
    before = some.tree()
    prepare(some)
    assert some.tree() == before


def test_taking_back_what_was_never_done_changes_nothing(host: Make) -> None:
    some = host("debian")
    before = some.tree()
    assert take_back(some) == []
    assert some.tree() == before


def test_mode_and_owner_of_a_changed_file_are_kept(host: Make) -> None:
    some = host("debian")
    (some.root / "etc/default/grub").chmod(0o662)
    if os.geteuid() == 0:
        os.chown(some.root / "etc/default/grub", 1234, 5678)
    before = some.tree()["etc/default/grub"]
    prepare(some)
    after = some.tree()["etc/default/grub"]
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    take_back(some)
    assert some.tree()["etc/default/grub"] == before


def test_what_is_made_anew_is_made_after_all_files_are_written_and_after_all_are_back(host: Make) -> None:
    some = full(host, "debian")
    prepare(some, EVERYTHING)
    assert "nouveau" in some.read("boot/initrd")
    take_back(some)
    assert "nouveau" not in some.read("boot/initrd")
    assert all("iommu=pt" not in words for words in some.starts_with())


def test_words_that_others_add_since_stay_when_ours_are_taken_back(host: Make) -> None:
    some = host("debian")
    original = some.read("etc/default/grub")
    prepare(some)
    some.replace("etc/default/grub", "GRUB_TIMEOUT=5", "GRUB_TIMEOUT=1")
    some.replace("etc/default/grub", 'iommu=pt"', 'iommu=pt mitigations=auto"')
    take_back(some)
    expected = original.replace("GRUB_TIMEOUT=5", "GRUB_TIMEOUT=1").replace('ttyS0"', 'ttyS0 mitigations=auto"')
    assert some.read("etc/default/grub") == expected
    assert not (some.root / STATE).exists()


def test_words_that_others_add_between_two_runs_stay_too(host: Make) -> None:
    some = host("debian", cards=(INTEL_UHD,))
    prepare(some)
    some.replace("etc/default/grub", "GRUB_TIMEOUT=5", "GRUB_TIMEOUT=1")
    prepare(some, Wishes(xe_max_vfs=3))
    take_back(some)
    text = some.read("etc/default/grub")
    assert "GRUB_TIMEOUT=1" in text
    assert "iommu" not in text
    assert "xe.max_vfs" not in text


def test_a_word_that_said_the_contrary_comes_back(host: Make) -> None:
    some = host("debian")
    some.replace("etc/default/grub", 'GRUB_CMDLINE_LINUX=""', 'GRUB_CMDLINE_LINUX="intel_iommu=off x"')
    some.derive()
    before = some.tree()
    prepare(some)
    assert some.starts_with()[0].count("intel_iommu=off") == 0
    take_back(some)
    assert some.tree() == before


def test_the_entry_of_a_kernel_installed_since_loses_our_words_too(host: Make) -> None:
    some = host("fedora")
    theirs = some.read("boot/loader/entries/0123-6.12.conf").replace("6.12", "6.13")
    prepare(some)
    some.write("boot/loader/entries/0123-6.13.conf", theirs.replace("quiet", "quiet intel_iommu=on iommu=pt"))
    take_back(some)
    assert some.read("boot/loader/entries/0123-6.13.conf") == theirs


def test_the_entry_of_a_kernel_removed_since_does_not_come_back(host: Make) -> None:
    some = host("fedora")
    prepare(some)
    (some.root / "boot/loader/entries/0123-6.12.conf").unlink()
    assert any("removed by somebody else" in line for line in take_back(some))
    assert not (some.root / "boot/loader/entries/0123-6.12.conf").exists()


def test_words_that_an_entry_had_before_are_not_taken_out_of_it(host: Make) -> None:
    some = host("fedora")
    some.replace("boot/loader/entries/0123-0-rescue.conf", "quiet", "quiet intel_iommu=on iommu=pt")
    before = some.tree()
    prepare(some)
    take_back(some)
    assert some.tree() == before


def test_a_file_of_ours_that_somebody_changed_is_kept_and_named_and_all_else_is_back(host: Make) -> None:
    some = host("debian")
    before = some.read("etc/default/grub")
    prepare(some)
    some.replace("etc/modules-load.d/libvf.conf", "vfio_pci", "vfio_pci\nmine")
    with pytest.raises(PreparationError, match=r"/etc/modules-load.d/libvf.conf was changed since"):
        take_back(some)
    assert "mine" in some.read("etc/modules-load.d/libvf.conf")
    assert some.read("etc/default/grub") == before
    (some.root / "etc/modules-load.d/libvf.conf").unlink()
    take_back(some)
    assert not (some.root / STATE).exists()
    assert not (some.root / "etc/modules-load.d").exists()


def test_a_file_of_ours_that_somebody_changed_is_not_written_over(host: Make) -> None:
    some = host("debian", cards=(INTEL_UHD,))
    prepare(some)
    some.replace("etc/modules-load.d/libvf.conf", "vfio_pci", "vfio_pci\nmine")
    with pytest.raises(ChangedSince, match="take it back with --undo first"):
        prepare(some, Wishes(gvt=True))


def test_a_folder_we_made_stays_if_somebody_put_something_into_it(host: Make) -> None:
    some = host("debian")
    prepare(some)
    some.write("etc/modules-load.d/mine.conf", "loop\n")
    take_back(some)
    assert some.read("etc/modules-load.d/mine.conf") == "loop\n"


def test_a_program_that_says_no_is_run_again_by_the_next_run(host: Make) -> None:
    some = full(host, "debian")
    before = some.tree()
    some.fails = lambda: CommandFailed("update-grub: exit code 1")
    with pytest.raises(CommandFailed):
        prepare(some)
    some.fails, some.ran = None, []
    assert ("run update-grub", "/boot/grub/grub.cfg") in told(planned(some))
    prepare(some)
    assert "update-grub" in some.ran
    assert all("iommu=pt" in words for words in some.starts_with())
    take_back(some)
    assert some.tree() == before


def test_a_link_is_not_replaced_by_a_file(host: Make) -> None:
    some = host("debian")
    (some.root / "etc/default/grub").rename(some.root / "etc/grub-here")
    (some.root / "etc/default/grub").symlink_to("../grub-here")
    with pytest.raises(PreparationError, match=r"/etc/default/grub is a link to ../grub-here"):
        prepare(some)
    assert (some.root / "etc/default/grub").is_symlink()


def test_a_record_that_can_not_be_read_is_not_taken_for_empty(host: Make) -> None:
    some = host("debian")
    prepare(some)
    some.write(f"{STATE}/manifest.json", "{")
    for again in (prepare, take_back):
        with pytest.raises(PreparationError, match="by hand"):
            again(some)
    assert some.read(f"{STATE}/manifest.json") == "{"


def test_bytes_that_are_no_text_survive(host: Make) -> None:
    some = host("debian")
    grub = some.root / "etc/default/grub"
    grub.write_bytes(b"# caf\xe9\n" + grub.read_bytes())
    before = some.tree()
    prepare(some)
    assert grub.read_bytes().startswith(b"# caf\xe9\n")
    take_back(some)
    assert some.tree() == before
