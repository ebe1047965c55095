"""What is made is recorded first: killed at any moment, a second run finishes, and taking back leaves nothing."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from libvf_workstation.errors import Foreign, Refused, WorkstationError
from libvf_workstation.executor import Executor, remove
from libvf_workstation.journal import Journal
from libvf_workstation.payload import ABOUT, PROGRAMS, Bundle
from libvf_workstation.steps import Expected, File, Folder, Link, Setting, Step, Unpacked

SAVES = 8  # what the steps below record, one after the other


class Killed(BaseException):
    """The power is cut."""


class Dying(Journal):
    """A journal whose program dies right after it was written for the nth time."""

    left = 0

    def save(self) -> None:
        Journal.save(self)
        Dying.left -= 1
        if Dying.left < 0:
            raise Killed


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return _bundle(tmp_path / "bundle.pyz", b"first")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    for folder in ("opt", "etc", "var/lib", "var/log", "proc"):
        (root / folder).mkdir(parents=True)
    (root / "proc/forward").write_text("0\n")
    (root / "var/log/pods").mkdir()
    return root


def _bundle(file: Path, content: bytes) -> Bundle:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("bin/program")
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(PROGRAMS, packed.getvalue())
        archive.writestr(ABOUT, "{}")
    return Bundle(file)


def _steps(host: Path) -> list[Step]:
    return [
        Folder(host / "var/lib/state", 0o700),
        Setting(host / "proc/forward"),
        Expected(host / "var/lib/kubelet", alone=True),
        Expected(host / "var/log/pods"),
        Unpacked(host / "opt/programs", PROGRAMS),
        File(host / "etc/unit", "text\n"),
        Link(host / "etc/kubectl", host / "opt/programs/bin/program"),
    ]


def _run(host: Path, bundle: Bundle) -> Executor:
    executor = Executor(Journal.load(host / "var/lib/state"), bundle)
    _apply(executor, host)
    return executor


def _apply(executor: Executor, host: Path) -> None:
    for step in _steps(host):
        executor.apply(step)


def _tree(host: Path) -> dict[str, str]:
    paths = [path for path in host.rglob("*") if path.name != "journal.json"]
    return {
        str(path.relative_to(host)): f"{path.lstat().st_mode:o} {path.read_text() if path.is_file() else ''}"
        for path in paths
    }


@pytest.mark.parametrize("saves", range(SAVES))
def test_killed_at_any_moment_a_second_run_finishes_and_undo_leaves_nothing(
    host: Path, bundle: Bundle, saves: int
) -> None:
    before = _tree(host)
    Dying.left = saves
    executor = Executor(Dying.load(host / "var/lib/state"), bundle)
    with pytest.raises(Killed):
        _apply(executor, host)
    _run(host, bundle)
    assert (host / "opt/programs/bin/program").read_bytes() == b"first"
    assert (host / "etc/unit").read_text() == "text\n"
    (host / "var/lib/kubelet").mkdir()
    (host / "proc/forward").write_text("1\n")
    again = Executor(Journal.load(host / "var/lib/state"), bundle)
    again.put_settings_back()
    again.take_back()
    assert _tree(host) == before


@pytest.mark.parametrize("saves", range(SAVES))
def test_undone_at_any_moment_nothing_is_left(host: Path, bundle: Bundle, saves: int) -> None:
    before = _tree(host)
    Dying.left = saves
    executor = Executor(Dying.load(host / "var/lib/state"), bundle)
    with pytest.raises(Killed):
        _apply(executor, host)
    Executor(Journal.load(host / "var/lib/state"), bundle).take_back()
    assert _tree(host) == before


@pytest.mark.parametrize("removals", range(6))
def test_undo_that_was_killed_knows_what_is_left(
    host: Path, bundle: Bundle, removals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _tree(host)
    executor = _run(host, bundle)
    left = iter(range(removals))

    def dies(path: Path) -> None:
        if next(left, None) is None:
            raise Killed
        remove(path)

    monkeypatch.setattr("libvf_workstation.executor.remove", dies)
    with pytest.raises(Killed):
        executor.take_back()
    monkeypatch.undo()
    again = Journal.load(host / "var/lib/state")
    assert not again.empty
    Executor(again, bundle).take_back()
    assert _tree(host) == before


def test_a_second_run_has_nothing_to_do(host: Path, bundle: Bundle) -> None:
    executor = _run(host, bundle)
    assert [executor.apply(step) for step in _steps(host)] == [False] * len(_steps(host))


def test_another_bundle_replaces_what_was_unpacked(host: Path, bundle: Bundle) -> None:
    _run(host, bundle)
    _run(host, _bundle(bundle.file.with_name("newer.pyz"), b"second"))
    assert (host / "opt/programs/bin/program").read_bytes() == b"second"


@pytest.mark.parametrize("place", ["etc/unit", "opt/programs", "var/lib/kubelet"])
def test_what_was_there_before_is_never_taken_for_ours(host: Path, bundle: Bundle, place: str) -> None:
    (host / place).mkdir()
    with pytest.raises(Foreign, match=f"{place} is there and was not made here: move it away"):
        _run(host, bundle)
    Executor(Journal.load(host / "var/lib/state"), bundle).take_back()
    assert (host / place).is_dir()


def test_a_shared_folder_that_was_there_stays(host: Path, bundle: Bundle) -> None:
    executor = _run(host, bundle)
    executor.take_back()
    assert (host / "var/log/pods").is_dir()


def test_secrets_are_never_readable_by_others(host: Path, bundle: Bundle) -> None:
    os.umask(0)
    _run(host, bundle)
    assert (host / "var/lib/state").stat().st_mode & 0o777 == 0o700
    assert (host / "var/lib/state/journal.json").stat().st_mode & 0o777 == 0o600


def test_an_unreadable_journal_is_not_taken_for_an_empty_one(host: Path, bundle: Bundle) -> None:
    _run(host, bundle)
    (host / "var/lib/state/journal.json").write_text("{")
    with pytest.raises(WorkstationError, match=r"journal\.json can not be read"):
        Journal.load(host / "var/lib/state")


def test_a_damaged_bundle_is_told_and_nothing_of_it_is_at_its_place(host: Path, bundle: Bundle) -> None:
    content = bundle.file.read_bytes()
    bundle.file.write_bytes(content.replace(b"first", b"worse"))
    with pytest.raises(WorkstationError, match=r"is damaged .*: copy it again"):
        _run(host, bundle)
    assert not (host / "opt/programs").exists()


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is no bundle of a workstation"):
        Bundle.find(tmp_path)
