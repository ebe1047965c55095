"""A launcher as it is in its Pod (uid 107, no capabilities, no new privileges) with a guest that looks around.

QEMU, OVMF, swtpm and virtiofsd are Debian trixie's, as in the launcher's image, and the guest boots by Debian's signed
shim, GRUB and kernel: under Secure Boot nothing else would.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from libvf_api import names
from libvf_api.termination import Termination, parse
from libvf_launcher.paths import Paths

from lab.beside import beside
from lab.emulator import qemu
from lab.guest.signed import signed_disk

SECONDS = 240  # a guest's boot by UEFI, in emulation, on a busy host
REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = "import sys; from pathlib import Path; from libvf_launcher.paths import Paths; "
SCRIPT += "from libvf_launcher.__main__ import main; sys.exit(main([], Paths(Path(sys.argv[1]), 0)))"
# the cache and Python are below root's home, which is closed to others: here its folders stand in an open one
OPENED = """
hold=$(mktemp -d) && mount --bind "$HOME" "$hold" && mount -t tmpfs -o mode=755 none "$HOME" || exit
for folder in $(cd "$hold" && find . -mindepth 1 -maxdepth 1 -type d); do
  mkdir "$HOME/$folder" && mount --bind "$hold/$folder" "$HOME/$folder"
done
umount -l "$hold" && rmdir "$hold" && exec "$@"
"""
SMALL = {"memory": {"size": "256Mi"}, "cpu": {"acceleration": "Preferred"}, "network": {"mode": "None"}}


class Machine:
    """A VM whose container is a folder; its state volume outlives each run."""

    def __init__(self, root: Path, **spec: Any) -> None:
        self.paths, self.spec = Paths(root), {**SMALL, "terminationGracePeriodSeconds": 60, **spec}
        paths = self.paths
        for folder in (paths.machine.parent, paths.run, paths.state, paths.keep, paths.termination.parent):
            folder.mkdir(parents=True)
        for link, target in ((paths.ovmf, "usr/share/OVMF"), (paths.virtiofsd, "bin/virtiofsd")):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(beside() / ("root/" * target.startswith("usr") + target))
        self.process: subprocess.Popen[bytes] | None = None
        self.output = root / "output"

    def start(self) -> None:
        """Start the launcher, as kubelet would."""
        body = {"name": "a", "namespace": "b", "uid": "11111111-2222-3333-4444-555555555555", "spec": self.spec}
        self.paths.machine.write_text(json.dumps(body))
        self.output.write_text("")
        own = str(names.QEMU_ID)
        subprocess.run(["chown", "-R", "-h", f"{own}:{own}", self.paths.root], check=True)
        ids = ("--reuid", own, "--regid", own, "--clear-groups")
        unprivileged = ("setpriv", *ids, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")
        launcher = (sys.executable, "-c", SCRIPT, str(self.paths.root))
        argv = ("unshare", "--mount", "sh", "-c", OPENED, "sh", *unprivileged, *launcher)
        environment = {"PATH": f"{qemu().parent}:{beside()}/bin:{os.environ['PATH']}", "PYTHONPATH": _code(self)}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(argv, stdout=output, stderr=output, env={**os.environ, **environment})

    def said(self) -> list[str]:
        """What the guest has said on its serial console."""
        lines = self.output.read_text(errors="replace").splitlines()
        return [line.split("libvf-guest: ", 1)[1] for line in lines if "libvf-guest: " in line]

    def until_done(self) -> list[str]:
        """Wait for the guest's last word."""
        deadline = time.monotonic() + SECONDS
        while "done" not in self.said():
            assert self.process is not None
            waiting = self.process.poll() is None and time.monotonic() < deadline
            assert waiting, self.output.read_text()[-3000:]
            time.sleep(0.2)
        return self.said()

    def stop(self) -> Termination:
        """Ask it to end; the guest hears the power button."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> Termination:
        """Wait for its end, and what it says of it."""
        assert self.process is not None
        self.process.wait(SECONDS)
        told = parse(self.paths.termination.read_text())
        assert told is not None
        return told


def _code(machine: Machine) -> str:
    """The launcher's code where uid 107 can read it."""
    place = machine.paths.root / "code"
    if not place.exists():
        for package in ("api/libvf_api", "launcher/libvf_launcher"):
            shutil.copytree(REPOSITORY / package, place / Path(package).name)
    return str(place)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="libvf-"))  # pytest's own is root's alone
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def machine(folder: Path) -> Iterator[Machine]:
    made = Machine(folder / "c", disks=[{"name": "root", "image": {"reference": "x"}}])
    made.paths.volume("root").mkdir(parents=True)
    shutil.copy(signed_disk(), made.paths.volume("root") / "disk.img")
    yield made
    if made.process and made.process.poll() is None:
        made.stop()


def words(said: list[str], start: str) -> str:
    """The line that begins so."""
    return next(line for line in said if line.startswith(start))


def test_secure_boot_and_a_tpm_are_seen_by_the_guest_and_stay_over_a_restart(machine: Machine) -> None:
    machine.spec |= {"firmware": {"uefi": {"secureBoot": True}, "tpm": True}, "state": {"size": "64Mi"}}
    machine.start()
    first = machine.until_done()
    assert "uefi, secure boot 1, mark none" in first
    assert "[integrity]" in words(first, "lockdown")  # Debian's kernel locks itself only where Secure Boot is enforced
    assert words(first, "tpm").startswith("tpm 2, key ")
    assert not words(first, "tpm").endswith("measured " + "0" * 64)  # by the firmware: the state of Secure Boot
    assert machine.stop().reason == "Stopped"
    machine.start()
    again = machine.until_done()
    assert "uefi, secure boot 1, mark left" in again
    assert words(again, "tpm") == words(first, "tpm")


def test_a_guest_writes_to_a_shared_folder_and_its_files_are_107s(machine: Machine) -> None:
    given, read = machine.paths.share("home"), machine.paths.share("books")
    for folder in (given, read):
        folder.mkdir(parents=True)
    (given / "hello").touch()
    machine.spec |= {"filesystems": [{"name": "home", "owner": 1000}, {"name": "books", "readOnly": True}]}
    machine.start()
    said = machine.until_done()
    assert words(said, "folder home holds").split() == ["folder", "home", "holds", "hello"]
    assert "folder home written by 0" in said
    assert "folder home owner 1000:1000" in said
    made = given / "made" / "moved"
    assert made.read_text() == "by the guest\n"
    assert (made.stat().st_uid, made.stat().st_gid) == (names.QEMU_ID, names.QEMU_ID)
    assert "folder books written by 0" not in said
    assert not list(read.iterdir())
