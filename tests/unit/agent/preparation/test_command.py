"""The command: `python -m libvf_agent prepare`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from libvf_agent.__main__ import main
from libvf_agent.errors import CommandFailed
from libvf_agent.preparation.commands import HostCommands
from libvf_agent.preparation.manifest import STATE

from tests.unit.agent.preparation.conftest import Make
from tests.unit.agent.preparation.hosts import NVIDIA_A2, Host


@pytest.fixture
def some(host: Make, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose own programs are run, not this machine's."""
    made = host("debian", cards=(NVIDIA_A2,))
    monkeypatch.setattr(HostCommands, "run", lambda self, argv: made.run(argv))
    return made


def prepare(host: Host, *options: str) -> int:
    return main(["prepare", "--root", str(host.root), *options])


def test_a_plan_is_told_by_section_and_nothing_is_changed(some: Host, capsys: pytest.CaptureFixture[str]) -> None:
    before = some.tree()
    assert prepare(some) == 0
    told = capsys.readouterr().out
    order = ["Host: Debian GNU/Linux 13", "Kernel command line\n", "Kernel modules\n", "Made anew", "NVIDIA:", "--yes"]
    places = [told.index(piece) for piece in order]
    assert places == sorted(places)
    assert (
        "  add intel_iommu=on iommu=pt\n    where: /etc/default/grub (GRUB_CMDLINE_LINUX_DEFAULT)\n    why:   " in told
    )
    assert told.rstrip().splitlines()[-1].startswith("Reboot needed: ")
    assert some.tree() == before


def test_one_change_in_several_files_is_told_once(host: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(host("arch-systemd-boot")) == 0
    told = capsys.readouterr().out
    assert told.count("add intel_iommu=on iommu=pt") == 1
    assert "    where: /boot/loader/entries/arch.conf\n           /boot/loader/entries/lts.conf\n    why:   the" in told


def test_applied_told_and_taken_back(some: Host, capsys: pytest.CaptureFixture[str]) -> None:
    before = some.tree()
    assert prepare(some, "--yes") == 0
    assert "All of this is done" in capsys.readouterr().out
    assert prepare(some) == 0
    assert "Nothing to do: this host is prepared." in capsys.readouterr().out
    assert prepare(some, "--undo") == 0
    told = capsys.readouterr().out
    assert "/etc/default/grub is as it was" in told
    assert "ran update-grub" in told
    assert some.tree() == before


def test_as_json(some: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(some, "--output", "json", "--hugepages", "2Mi=8") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["host"]["loader"] == "GRUB"
    assert document["applied"] is False
    assert document["reboot"]["needed"] is True
    assert document["steps"][0]["what"].endswith("hugepagesz=2M hugepages=8")
    assert all(set(step) == {"section", "what", "where", "why"} for step in document["steps"])


def test_taking_back_as_json(some: Host, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(some, "--yes")
    capsys.readouterr()
    assert prepare(some, "--undo", "--output", "json") == 0
    assert "ran update-grub" in json.loads(capsys.readouterr().out)["undone"]


def test_an_error_is_one_line_with_the_cure_and_exit_code_1(some: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare(some, "--gvt") == 1
    assert capsys.readouterr().err.startswith("libvf-agent: --gvt: no GPU here")


def test_a_root_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--root", str(tmp_path / "none")]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_yes_and_undo_exclude_each_other(some: Host) -> None:
    with pytest.raises(SystemExit):
        prepare(some, "--yes", "--undo")


def test_two_runs_at_once_are_refused(
    some: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []

    def another_run_comes(self: HostCommands, argv: tuple[str, ...]) -> None:
        if not codes:
            codes.append(prepare(some, "--yes"))
        some.run(argv)

    monkeypatch.setattr(HostCommands, "run", another_run_comes)
    assert prepare(some, "--yes") == 0
    assert codes == [1]
    assert f"/{STATE} is held by another run: wait for it to end" in capsys.readouterr().err


def test_preparing_needs_neither_grpc_nor_kubernetes(host: Make) -> None:
    script = (
        "import sys; from libvf_agent.__main__ import main; code = main(sys.argv[1:]);"
        "sys.exit(code or ('grpc' in sys.modules or 'kubernetes' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script, "prepare", "--root", str(host("debian").root)], check=False)
    assert done.returncode == 0


def test_programs_of_this_root_are_run_and_what_they_say_is_told() -> None:
    commands = HostCommands(Path("/"))
    commands.run(("true",))
    with pytest.raises(CommandFailed, match=r"sh -c 'echo no; exit 3': exit code 3: no"):
        commands.run(("sh", "-c", "echo no; exit 3"))
    with pytest.raises(CommandFailed, match="there is no such program"):
        commands.run(("/nowhere/program",))


def test_what_a_program_wrote_is_on_the_disk_when_it_counts_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(os, "sync", lambda: synced.append((tmp_path / "menu").exists()))
    HostCommands(Path("/")).run(("touch", str(tmp_path / "menu")))
    assert synced == [True]


def test_programs_of_another_root_are_run_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def record(argv: tuple[str, ...], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(argv)
        return subprocess.CompletedProcess(argv, 0, "", "")

    monkeypatch.setattr(subprocess, "run", record)
    HostCommands(tmp_path).run(("update-grub",))
    assert ran == [("chroot", str(tmp_path), "update-grub")]
