"""What kubelet asks in the container and what it finds there: the operator's probes on the launcher's files."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from libvf_launcher.paths import Paths
from libvf_launcher.readiness import Readiness
from libvf_operator import pod

from tests.unit.operator.test_machine import SETTINGS, vm

SECONDS = 10


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "run/libvf").mkdir(parents=True)
    return Paths(tmp_path)


@pytest.fixture
def started(paths: Paths) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(_command("startupProbe", paths)) as asked:
        yield asked
        asked.kill()


def _command(probe: str, paths: Paths) -> list[str]:
    [container] = pod.for_machine(vm(), SETTINGS)["spec"]["containers"]
    return [word.replace("/run/libvf", str(paths.run)) for word in container[probe]["exec"]["command"]]


def _waits(asked: subprocess.Popen[bytes]) -> bool:
    with pytest.raises(subprocess.TimeoutExpired):
        asked.wait(1.5)
    return True


def _ready(paths: Paths) -> bool:
    return subprocess.run(_command("readinessProbe", paths), check=False).returncode == 0


def test_asked_before_the_launcher_is_there_it_waits_until_the_guest_runs(
    paths: Paths, started: subprocess.Popen[bytes]
) -> None:
    assert _waits(started)
    readiness = Readiness(paths)
    assert _waits(started)
    readiness.tell(running=True)
    assert started.wait(SECONDS) == 0
    assert _ready(paths)


def test_asked_again_later_it_is_answered_at_once(paths: Paths) -> None:
    Readiness(paths).tell(running=True)
    for _ in range(3):
        assert subprocess.run(_command("startupProbe", paths), timeout=SECONDS, check=False).returncode == 0


def test_who_comes_to_the_pipe_too_late_to_see_it_told_reads_it_all_the_same(paths: Paths) -> None:
    Readiness(paths).tell(running=True)
    reader = os.open(paths.started, os.O_RDONLY | os.O_NONBLOCK)
    assert os.read(reader, 1) == b"\n"
    os.close(reader)


def test_a_guest_that_is_paused_is_not_ready_and_one_that_goes_on_is(paths: Paths) -> None:
    readiness = Readiness(paths)
    for running in (True, False, True):
        readiness.tell(running)
        assert _ready(paths) is running


def test_a_container_that_restarts_in_its_pod_begins_anew(paths: Paths) -> None:
    Readiness(paths).tell(running=True)
    Readiness(paths)
    assert not _ready(paths)
    with subprocess.Popen(_command("startupProbe", paths)) as asked:
        assert _waits(asked)
        asked.kill()
