"""Two machines and one disk file, with two real QEMUs: one writer or any number of readers, by QEMU's own locks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.launcher.test_life import Running, emulator

VOLUME = {"name": "root", "persistentVolumeClaim": {"claimName": "shared"}}
Begin = Callable[..., Running]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Starts a machine whose disk is the one that all have."""
    emulator(monkeypatch)
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "disk.img").write_bytes(bytes(1 << 20))
    started: list[Running] = []

    def machine(name: str, **disk: Any) -> Running:
        volumes = tmp_path / name / "volumes"
        volumes.mkdir(parents=True)
        (volumes / "root").symlink_to(shared)
        started.append(Running(tmp_path / name, state={"size": "1Gi"}, disks=[{**VOLUME, **disk}]))
        return started[-1]

    yield machine
    for each in started:
        each.kill()


READERS = [{"readOnly": True}, {"changes": "Discard"}, {"changes": "Keep"}]


def test_a_second_writer_is_refused_and_told_the_cure(begin: Begin) -> None:
    first = begin("first")
    first.until(first.paths.ready.exists)
    code, told = begin("second").end()
    assert (code, told.reason) == (1, "DiskInUse")
    assert "written to by another machine" in told.message
    assert "changes Discard or Keep in both" in told.message


@pytest.mark.parametrize("disk", READERS)
def test_nothing_reads_what_another_one_writes(begin: Begin, disk: dict[str, Any]) -> None:
    first = begin("first")
    first.until(first.paths.ready.exists)
    code, told = begin("second", **disk).end()
    assert (code, told.reason) == (1, "DiskInUse")


def test_readers_are_fine_beside_each_other_and_keep_a_writer_out(begin: Begin) -> None:
    machines = [begin(f"reader-{number}", **disk) for number, disk in enumerate(READERS)]
    for machine in machines:
        machine.until(machine.paths.ready.exists)
    code, told = begin("writer").end()
    assert (code, told.reason) == (1, "DiskInUse")
