"""UEFI variables and a TPM, by the real OVMF, swtpm and QEMU: made once, and told with the cure where broken."""

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.beside import beside
from tests.unit.launcher.test_life import SECONDS, Running
from tests.unit.launcher.test_life import launch as plain

SECURE = {"uefi": {"secureBoot": True}, "tpm": True}
Launch = Callable[..., Running]
__all__ = ["plain"]


@pytest.fixture
def launch(plain: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    monkeypatch.setenv("PATH", f"{beside()}/bin:{os.environ['PATH']}")
    share = tmp_path / "c" / "usr" / "share"
    share.mkdir(parents=True)
    (share / "OVMF").symlink_to(beside() / "root/usr/share/OVMF")
    (tmp_path / "c" / "var" / "lib" / "libvf-keep").mkdir(parents=True)
    return plain


def run_once(machine: Running) -> None:
    machine.until(machine.paths.ready.exists)
    machine.start("qmp", "quit").wait(SECONDS)
    assert machine.end()[0] == 0


def rerun(machine: Running) -> tuple[int, str, str]:
    machine.process = machine.start()
    code, told = machine.end()
    return code, told.reason, told.message


def test_what_firmware_stores_is_kept_where_the_spec_says_and_made_once(launch: Launch) -> None:
    machine = launch(firmware=SECURE, state={"size": "64Mi"})
    run_once(machine)
    keep = machine.paths.keep
    assert sorted(path.name for path in keep.iterdir()) == ["tpm", "uefi-secure.fd"]
    seeds = (keep / "tpm" / "tpm2-00.permall").read_bytes()
    (keep / "uefi-secure.fd").open("r+b").write(b"mark")  # the header's zero vector, which firmware ignores
    machine.process = machine.start()
    run_once(machine)
    assert (keep / "tpm" / "tpm2-00.permall").stat().st_size == len(seeds)
    assert (keep / "uefi-secure.fd").read_bytes().startswith(b"mark")


def test_variables_without_keys_are_no_beginning_for_secure_boot(launch: Launch) -> None:
    machine = launch(firmware={"uefi": {}})
    run_once(machine)
    variables = machine.paths.state / "uefi.fd"
    assert variables.stat().st_size == (machine.paths.ovmf / "OVMF_VARS_4M.fd").stat().st_size
    assert not (machine.paths.state / "uefi-secure.fd").exists()


def test_a_tpm_whose_making_was_cut_off_is_made_anew(launch: Launch) -> None:
    machine = launch(firmware={"tpm": True})
    run_once(machine)
    shutil.move(machine.paths.state / "tpm", machine.paths.state / "tpm.new")
    (machine.paths.state / "tpm.new" / "tpm2-00.permall").write_bytes(b"half")
    machine.process = machine.start()
    run_once(machine)
    assert (machine.paths.state / "tpm" / "tpm2-00.permall").stat().st_size > 1000


def test_a_tpm_in_use_by_another_is_not_started_twice(launch: Launch) -> None:
    machine = launch(firmware={"tpm": True})
    run_once(machine)
    with (machine.paths.state / "tpm" / ".lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        code, reason, message = rerun(machine)
    assert (code, reason) == (1, "CompanionFailed")
    assert "end whoever else runs on this volume" in message


def test_a_damaged_tpm_is_told_with_what_is_lost(launch: Launch) -> None:
    machine = launch(firmware={"tpm": True})
    run_once(machine)
    (machine.paths.state / "tpm" / "tpm2-00.permall").write_bytes(b"no TPM's state")
    code, reason, message = rerun(machine)
    assert (code, reason) == (1, "CompanionFailed")
    assert "the TPM's state is damaged: put back a copy" in message


def test_a_tpm_that_ends_before_its_guest_is_told(launch: Launch, capfd: pytest.CaptureFixture[str]) -> None:
    machine = launch(firmware={"tpm": True})
    machine.until(machine.paths.ready.exists)
    own = Path(f"/proc/{machine.process.pid}/task/{machine.process.pid}/children").read_text().split()
    [swtpm] = [int(pid) for pid in own if pid != machine.paths.qemu_pid.read_text()]
    os.kill(swtpm, signal.SIGKILL)
    machine.until(lambda: "swtpm ended with -9 before the guest: restart the machine" in capfd.readouterr().out)
    assert machine.paths.ready.exists()


def test_damaged_variables_are_told_with_the_cure(launch: Launch) -> None:
    machine = launch(firmware={"uefi": {}})
    run_once(machine)
    os.truncate(machine.paths.state / "uefi.fd", 1000)
    code, reason, message = rerun(machine)
    assert (code, reason) == (1, "BadMachine")
    assert "have 1000 bytes, not 540672: put back a copy" in message


def test_pages_that_the_node_does_not_have_are_missed_at_the_start(launch: Launch, tmp_path: Path) -> None:
    free = Path("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages")
    if not free.exists() or int(free.read_text()):
        pytest.skip("this host has huge pages of 1 GiB to spare, or can have none")
    code, told = launch(memory={"size": "1Gi", "hugepages": "1Gi"}).end()
    assert (code, told.reason) == (1, "BadMachine")
    assert "not enough free pages of the size in spec.memory.hugepages" in told.message
