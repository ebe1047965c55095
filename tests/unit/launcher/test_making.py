"""What is made of a disk before its first start, and what is found there at the next: with a real qemu-img."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from libvf_api.v1alpha1 import VirtualMachineSpec
from libvf_launcher import making
from libvf_launcher.disks import drives
from libvf_launcher.errors import BadMachine, BaseChanged
from libvf_launcher.paths import Paths

MIB = 1 << 20
IMAGE = {"name": "root", "image": {"reference": "example/guest:1"}, "changes": "Keep"}
FIRST_SECOND = (1_700_000_000, 1_700_000_000)


class Home:
    """A launcher's container whose Pod may be made anew."""

    def __init__(self, root: Path) -> None:
        self.paths = Paths(root)
        self.paths.state.mkdir(parents=True)
        self.base = self.paths.volume("root") / "disk.img"
        self.base.parent.mkdir(parents=True)
        self.base.write_bytes(bytes(8 * MIB))
        os.utime(self.base, FIRST_SECOND)

    def start(self, *disks: dict[str, Any]) -> list[Path]:
        """Make what these disks need; returns their files."""
        spec = {"memory": {"size": "1Gi"}, "disks": list(disks)}
        found = drives(msgspec.json.decode(json.dumps(spec), type=VirtualMachineSpec), self.paths)
        for drive in found:
            making.make(drive)
        return [drive.file for drive in found]

    def new_pod(self) -> None:
        """All that ends with a Pod is gone."""
        for file in self.paths.state.iterdir():
            file.unlink()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def write(disk: Path, byte: int, at: int = 0) -> None:
    """As a guest does."""
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", f"write -P {byte} {at} 4k", disk], check=True, capture_output=True)


def holds(disk: Path, byte: int, at: int = 0) -> bool:
    told = subprocess.run(["qemu-io", "-f", "qcow2", "-r", "-c", f"read -P {byte} {at} 4k", disk], capture_output=True)
    return told.returncode == 0 and b"verification failed" not in told.stdout


def size(disk: Path) -> int:
    told = subprocess.run(["qemu-img", "info", "--output=json", disk], capture_output=True, check=True).stdout
    return int(json.loads(told)["virtual-size"])


@pytest.mark.parametrize("disk", [IMAGE, {"name": "root", "size": "8Mi", "changes": "Keep"}], ids=["image", "blank"])
def test_what_a_guest_wrote_is_kept_over_pods(home: Home, disk: dict[str, Any]) -> None:
    [file] = home.start(disk)
    write(file, 0xAA)
    home.new_pod()
    assert home.start(disk) == [file]
    assert holds(file, 0xAA)
    assert home.base.read_bytes() == bytes(8 * MIB)


@pytest.mark.parametrize(
    "disk", [{**IMAGE, "changes": "Discard"}, {"name": "root", "size": "8Mi"}], ids=["overlay", "blank"]
)
def test_what_is_discarded_ends_with_the_pod_and_not_with_the_container(home: Home, disk: dict[str, Any]) -> None:
    [file] = home.start(disk)
    write(file, 0xAA)
    home.start(disk)
    assert holds(file, 0xAA)
    home.new_pod()
    home.start(disk)
    assert holds(file, 0)


def replaced(home: Home) -> None:
    """By a version that was built to be reproducible: same size, same time."""
    home.base.write_bytes(bytes(MIB) + b"x" + bytes(7 * MIB - 1))
    os.utime(home.base, FIRST_SECOND)


def grown(home: Home) -> None:
    home.base.write_bytes(bytes(9 * MIB))
    os.utime(home.base, FIRST_SECOND)


def touched(home: Home) -> None:
    os.utime(home.base, (1_700_000_001, 1_700_000_001))


@pytest.mark.parametrize("change", [replaced, grown, touched])
def test_a_kept_overlay_is_not_read_over_a_base_that_has_changed(home: Home, change: Any) -> None:
    [file] = home.start(IMAGE)
    write(file, 0xAA)
    change(home)
    with pytest.raises(BaseChanged, match=r"disk root: its kept overlay belongs to another base.*another name"):
        home.start(IMAGE)
    assert holds(file, 0xAA)


def test_another_image_is_named_with_the_one_before(home: Home) -> None:
    home.start(IMAGE)
    with pytest.raises(BaseChanged, match=r"of image example/guest:1, not disk\.img of image example/guest:2"):
        home.start({**IMAGE, "image": {"reference": "example/guest:2"}})


def test_an_overlay_whose_record_is_lost_is_refused(home: Home) -> None:
    [file] = home.start(IMAGE)
    file.with_suffix(".json").unlink()
    with pytest.raises(BaseChanged, match="is not known"):
        home.start(IMAGE)


def test_under_another_name_the_disk_begins_anew_and_the_old_one_stays(home: Home) -> None:
    [old] = home.start(IMAGE)
    write(old, 0xAA)
    touched(home)
    home.paths.volume("root2").symlink_to(home.base.parent)
    [new] = home.start({**IMAGE, "name": "root2"})
    assert holds(new, 0)
    assert holds(old, 0xAA)


def test_a_launcher_that_was_killed_while_it_made_a_disk_leaves_none(home: Home) -> None:
    file = home.paths.kept_disks / "root.qcow2"
    file.parent.mkdir(parents=True)
    (file.parent / ".root.qcow2.partial").write_bytes(b"QF")  # half a header
    home.start(IMAGE)
    assert size(file) == 8 * MIB


def test_a_kept_blank_disk_grows_and_never_shrinks(home: Home) -> None:
    blank = {"name": "data", "size": "8Mi", "changes": "Keep"}
    [file] = home.start(blank)
    write(file, 0xAA)
    home.start({**blank, "size": "16Mi"})
    assert (size(file), holds(file, 0xAA)) == (16 * MIB, True)
    home.start(blank)
    assert (size(file), holds(file, 0xAA)) == (16 * MIB, True)


@pytest.mark.parametrize("kind", ["raw", "qcow2"])
def test_a_disk_is_made_on_a_claim_once(home: Home, kind: str) -> None:
    volume = {"claimName": "c", "path": "guests/a.img", "create": "8Mi"}
    disk = {"name": "data", "format": kind, "persistentVolumeClaim": volume}
    [file] = home.start(disk)
    assert size(file) == 8 * MIB
    before = file.stat()
    home.start({**disk, "persistentVolumeClaim": {**volume, "create": "16Mi"}})
    assert (file.stat().st_mtime_ns, size(file)) == (before.st_mtime_ns, 8 * MIB)


@pytest.mark.parametrize("changes", ["Source", "Discard", "Keep"])
def test_a_source_that_is_not_there_is_named(home: Home, changes: str) -> None:
    disk = {"name": "data", "persistentVolumeClaim": {"claimName": "c", "path": "a.img"}, "changes": changes}
    with pytest.raises(BadMachine, match=r"disk data: there is no a\.img in its volume"):
        home.start(disk)
