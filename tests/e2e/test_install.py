"""An unattended installation on a real kernel, and disks that outlive their Pods."""

import random
import string
from pathlib import Path

import pytest
import yaml

from lab.demo import condition, get, read_screen, wait_ready
from lab.testbed import Testbed
from lab.volumes import local_volume
from tests.e2e.machines import HASTY, all_mdevs, all_qemus, example, until

pytestmark = pytest.mark.e2e

INSTALL_SECONDS = 300


def installed(bed: Testbed) -> tuple[str, str]:
    found = condition(get(bed, "vfvm", "demo"), "Installed")
    return found.get("status", ""), found.get("reason", "")


@pytest.mark.long
def test_a_guest_installs_itself_onto_a_blank_disk_and_starts_from_it_on_a_slice(bed: Testbed, tmp_path: Path) -> None:
    word = "".join(random.choices(string.ascii_uppercase + string.digits, k=8))
    with local_volume(bed, "demo-state"):
        bed.kubectl(
            "apply",
            "-f",
            "-",
            stdin=yaml.safe_dump(example("install", **HASTY, firmware={"oemStrings": [f"libvf.word={word}"]})),
        )
        until(lambda: installed(bed), ("False", "Installing"))
        assert (all_qemus(bed), all_mdevs(bed)) == (1, set())
        until(lambda: installed(bed), ("True", "Installed"), INSTALL_SECONDS)
        wait_ready(bed, "demo")
        assert len(all_mdevs(bed)) == 1
        assert "disk-setup" not in [volume["name"] for volume in get(bed, "pod", "demo")["spec"]["volumes"]]
        # the word was told to the installer, which wrote it to the disk: another Pod's guest draws it from there
        assert read_screen(bed, "demo", tmp_path / "screen.png") == word
        bed.kubectl("delete", "vfvm", "demo", "--wait")
        bed.kubectl("wait", "--for=delete", "pvc/demo-state", "--timeout=60s")


@pytest.mark.long
def test_an_overlay_that_is_kept_is_the_same_in_the_next_pod(bed: Testbed) -> None:
    with local_volume(bed, "demo-state"):
        bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(example("keep", **HASTY)))
        wait_ready(bed, "demo")
        before = _kept(bed)
        bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", '{"spec": {"runStrategy": "Halted"}}')
        bed.kubectl("wait", "--for=delete", "pod/demo", "--timeout=60s")
        bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", '{"spec": {"runStrategy": "Always"}}')
        wait_ready(bed, "demo")
        assert _kept(bed) == before
        bed.kubectl("delete", "vfvm", "demo", "--wait")


def _kept(bed: Testbed) -> str:
    """The overlay's inode and owner, as its node sees it."""
    script = "cd /var/lib/volumes/demo-state/disks && stat -c '%i %u %n' root.qcow2"
    done = bed.node("n1").execute(["sh", "-c", script])
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()
