"""A host prepared for real: Debian with its own GRUB, initramfs and systemd, started three times.

The machine's power is cut right after `prepare --yes` and right after `--undo`: what was told as done must be on
the disk by then.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from libvf_agent.doctor.cures import PREPARE

from lab import cpio, diskcontent
from lab.diskcontent import Thing
from lab.wholedisk import PARTITION_OFFSET, USER, whole_disk
from lab.wholemachine import WholeMachine
from tests.e2e.installed import Seen, changed_since, install, prepare, red, seen, unexplained

pytestmark = [pytest.mark.e2e, pytest.mark.long]

Shown = Callable[[], AbstractContextManager[None]]

PAGES = 64
OPTIONS = ("--hugepages", f"2Mi={PAGES}", "--kvm-user", USER)
WORDS = ("intel_iommu=on", "iommu=pt", "default_hugepagesz=2M", "hugepagesz=2M", f"hugepages={PAGES}")
VFIO = {"vfio", "vfio_iommu_type1", "vfio_pci", "mdev"}
CARD = "/sys/bus/pci/devices/0000:00:01.0"
NOUVEAU_TAKES = "pci:v000010DEd00001EB8sv000010DEsd000012A2bc03sc00i00"
STAMP = "/var/tmp/began"
INITRAMFS = "boot/initrd.img-*"
# the code that is tested; and what GRUB is to remember (grub-common.service, the same again at each start)
BESIDE = ("opt/libvf/*", "boot/grub/grubenv")

# what groupadd and gpasswd leave is the state before their last change, so after two changes another than before
SHADOW_KEEPS = ("etc/group-", "etc/gshadow-")


@dataclass(frozen=True, slots=True)
class Planned:
    """`prepare` without --yes, and what it changed all the same."""

    plan: dict[str, Any]
    nouveau: str
    changed: set[str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """`prepare --yes`, the power cut at once, and the machine after its next start: what changed, what it says."""

    changed: set[str]
    seen: Seen
    nouveau: str
    initramfs: set[str]
    again: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """`prepare --undo`, the power cut, the machine after its next start, and then its disk with the power off."""

    seen: Seen
    root: Path


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, shown: Shown) -> Iterator[WholeMachine]:
    made = WholeMachine(tmp_path_factory.mktemp("machine"))
    with shown():
        made.fresh(whole_disk())
    yield made
    made.kill()


@pytest.fixture(scope="module")
def disk_before(machine: WholeMachine, shown: Shown) -> Path:
    """The disk that the machine starts from."""
    with shown():
        return diskcontent.extract(whole_disk(), PARTITION_OFFSET, machine.folder / "before")


@pytest.fixture(scope="module")
def fresh(machine: WholeMachine, shown: Shown) -> Seen:
    with shown():
        machine.start()
        machine.wait_up()
        install(machine)
        return seen(machine)


@pytest.fixture(scope="module")
def planned(fresh: Seen, machine: WholeMachine, shown: Shown) -> Planned:
    """Until the next start the display card says it is NVIDIA's, which no emulated one does: all else is as it is."""
    with shown():
        for name, number in (("vendor", "0x10de"), ("device", "0x1eb8")):
            machine.check(["sh", "-c", f"echo {number} > /run/{name} && mount --bind /run/{name} {CARD}/{name}"])
        machine.check(["touch", STAMP])
        plan = prepare(machine, *OPTIONS)
        return Planned(plan, _loads(machine), unexplained(changed_since(machine, STAMP), *BESIDE))


@pytest.fixture(scope="module")
def prepared(planned: Planned, machine: WholeMachine, shown: Shown) -> Prepared:
    with shown():
        prepare(machine, "--yes", *OPTIONS)
        _cut_and_start(machine)
        changed = unexplained(changed_since(machine, STAMP), *BESIDE)
        files = machine.check(["sh", "-c", "lsinitramfs /boot/initrd.img-*"])
        return Prepared(changed, seen(machine), _loads(machine), set(files.splitlines()), prepare(machine, *OPTIONS))


@pytest.fixture(scope="module")
def taken_back(prepared: Prepared, machine: WholeMachine, shown: Shown) -> TakenBack:
    with shown():
        prepare(machine, "--undo")
        _cut_and_start(machine)
        looked = seen(machine)
        machine.power_off()
        return TakenBack(looked, diskcontent.extract(machine.overlay, PARTITION_OFFSET, machine.folder / "after"))


def test_a_fresh_host_is_red_where_software_can_mend_it(fresh: Seen) -> None:
    assert set(red(fresh)) == {"Iommu", "Vfio"}
    assert all(PREPARE in finding.cure for finding in red(fresh).values())
    assert "intel_iommu=off" in fresh.words
    assert (fresh.groups, fresh.modules & VFIO, fresh.pages, fresh.in_kvm) == (0, set(), 0, False)
    assert fresh.units == "running"


def test_the_plan_tells_every_place_and_changes_nothing(planned: Planned) -> None:
    assert {step["where"] for step in planned.plan["steps"]} == {
        "/etc/default/grub (GRUB_CMDLINE_LINUX, GRUB_CMDLINE_LINUX_DEFAULT)",
        "/etc/modules-load.d/libvf.conf",
        "/etc/modprobe.d/libvf.conf",
        "/etc/group",
        "/boot/grub/grub.cfg",
        "the initramfs",
    }
    assert planned.plan["applied"] is False
    assert planned.changed == set()


def test_applied_it_changes_just_what_was_told(prepared: Prepared) -> None:
    own = {path for path in prepared.changed if fnmatch(path, "var/lib/libvf/preparation/*")}
    rest = {INITRAMFS if fnmatch(path, INITRAMFS) else path for path in prepared.changed - own}
    assert own
    assert rest == {
        "etc/default/grub",
        "etc/modules-load.d/libvf.conf",
        "etc/modprobe.d/libvf.conf",
        *("etc/group", "etc/gshadow", *SHADOW_KEEPS),
        "boot/grub/grub.cfg",
        INITRAMFS,
    }


def test_after_a_power_cut_grub_starts_the_kernel_with_the_words(prepared: Prepared, machine: WholeMachine) -> None:
    assert prepared.seen.words[-len(WORDS) :] == WORDS
    assert prepared.seen.words[0].startswith("BOOT_IMAGE=/boot/vmlinuz-")
    assert "intel_iommu=off" not in prepared.seen.words
    assert "GNU GRUB" in machine.console.read_text(errors="replace")


def test_what_was_asked_for_is_there_and_no_unit_of_the_host_has_failed(prepared: Prepared) -> None:
    now = prepared.seen
    assert now.groups > 0
    assert now.modules >= VFIO
    assert (now.pages, now.in_kvm) == (PAGES, True)
    assert now.units == "running"


def test_nouveau_no_longer_takes_the_card_neither_from_the_disk_nor_from_the_initramfs(
    planned: Planned, prepared: Prepared
) -> None:
    assert "/nouveau.ko" in planned.nouveau
    assert prepared.nouveau == ""
    assert "etc/modprobe.d/libvf.conf" in prepared.initramfs


def test_the_doctor_finds_nothing_red_that_software_can_mend(prepared: Prepared) -> None:
    assert red(prepared.seen) == {}


def test_a_prepared_host_has_nothing_to_do_and_needs_no_reboot(prepared: Prepared) -> None:
    assert prepared.again["steps"] == []
    assert prepared.again["reboot"] == {"needed": False, "reasons": []}


def test_taken_back_the_host_starts_as_it_did(fresh: Seen, taken_back: TakenBack) -> None:
    assert taken_back.seen == fresh


def test_taken_back_every_file_of_the_disk_is_as_it_was(disk_before: Path, taken_back: TakenBack) -> None:
    """Content, mode, owner, links: all but times. What is in the initramfs is compared by itself."""
    before, after = (diskcontent.tree(root) for root in (disk_before, taken_back.root))
    differ = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert unexplained(differ, *BESIDE, *SHADOW_KEEPS, INITRAMFS) == {"opt/libvf"}
    assert len(before) > 5000, "the disk was not looked at"


def test_taken_back_the_initramfs_has_the_same_content(disk_before: Path, taken_back: TakenBack) -> None:
    """It is made anew, and carries the time of that."""
    before, after = (_initramfs(root) for root in (disk_before, taken_back.root))
    assert before == after
    assert len(before) > 100, "the initramfs was not looked at"


def _initramfs(root: Path) -> dict[str, Thing]:
    [path] = root.glob(INITRAMFS)
    return cpio.content(path)


def _cut_and_start(machine: WholeMachine) -> None:
    machine.kill()
    machine.start()
    machine.wait_up()


def _loads(machine: WholeMachine) -> str:
    """The files of the modules that udev would have loaded for an NVIDIA card."""
    argv = ["modprobe", "--use-blacklist", "--show-depends", NOUVEAU_TAKES]
    return machine.execute(argv).out
