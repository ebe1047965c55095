"""The static helper, compiled and run on a child process."""

import json
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "host-agent" / "hook" / "libvf-hook.c"
KIB = 1 << 10
SLACK = 100 * KIB  # small: a test may run without the right to raise a hard limit


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    binary = tmp_path_factory.mktemp("hook") / "libvf-hook"
    subprocess.run(["gcc", "-static", "-Os", "-Wall", "-Wextra", "-Werror", "-o", binary, SOURCE], check=True)
    return binary


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def run(hook: Path, root: Path, pid: int, files: dict[str, str], state: str | None = None, *words: str):  # type: ignore[no-untyped-def]
    folder = root / "cgroup" / "pods" / "one"
    folder.mkdir(parents=True)
    (root / "proc" / str(pid)).mkdir(parents=True)
    (root / "proc" / str(pid) / "cgroup").write_text("0::/pods/one\n")
    for name, text in files.items():
        (root / "cgroup" / "pods" / name).write_text(text + "\n")
    text = json.dumps({"annotations": {"pid": 1, "q": '"{'}, "pid": pid, "bundle": "/x"}) if state is None else state
    environment = {"LIBVF_PROC": str(root / "proc"), "LIBVF_CGROUP": str(root / "cgroup")}
    environment["LIBVF_SLACK"] = str(SLACK)
    return subprocess.run([hook, *words], input=text.encode(), env=environment, capture_output=True, check=False)


def test_the_limit_is_memory_max_and_hugepages_and_slack(hook: Path, child, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = {"one/memory.max": str(64 * KIB), "one/hugetlb.2MB.max": str(32 * KIB), "one/hugetlb.1GB.max": "max"}
    assert run(hook, tmp_path, child.pid, files).returncode == 0
    assert resource.prlimit(child.pid, resource.RLIMIT_MEMLOCK) == (196 * KIB,) * 2


def test_a_limit_of_the_pod_above_holds_too(hook: Path, child, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run(hook, tmp_path, child.pid, {"memory.max": str(48 * KIB), "one/memory.max": "max"}).returncode == 0
    assert resource.prlimit(child.pid, resource.RLIMIT_MEMLOCK)[0] == 148 * KIB


@pytest.mark.parametrize("state", ["", "{}", '{"annotations":{"pid":1}}', '{"pid":', '{"pid":-4}', "[[["])
def test_a_state_without_a_pid_is_refused_with_the_cure(hook: Path, child, tmp_path: Path, state: str) -> None:  # type: ignore[no-untyped-def]
    done = run(hook, tmp_path, child.pid, {}, state)
    assert done.returncode == 1
    assert b"createRuntime" in done.stderr


CELL = {"one/cpuset.cpus": "", "one/cpuset.mems": "", "one/cpuset.mems.effective": "1"}


def test_a_container_is_held_to_the_cpus_and_the_memory_of_its_cell(hook: Path, child, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    before = resource.prlimit(child.pid, resource.RLIMIT_MEMLOCK)
    files = {**CELL, "one/cpuset.cpus.effective": "4-6,12"}
    done = run(hook, tmp_path, child.pid, files, None, "cell", "4-6,12", "1")
    assert (done.returncode, done.stderr) == (0, b"")
    folder = tmp_path / "cgroup/pods/one"
    assert [(folder / name).read_text().strip() for name in ("cpuset.cpus", "cpuset.mems")] == ["4-6,12", "1"]
    assert resource.prlimit(child.pid, resource.RLIMIT_MEMLOCK) == before


def test_a_pod_that_has_not_all_of_the_cpus_is_refused(hook: Path, child, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run(hook, tmp_path, child.pid, {**CELL, "one/cpuset.cpus.effective": "4-5"}, None, "cell", "4-6", "1")
    assert done.returncode == 1
    assert b"can not hold the container to CPUs 4-6" in done.stderr


def test_a_host_without_the_controller_is_refused_with_the_cure(hook: Path, child, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = run(hook, tmp_path, child.pid, {}, None, "cell", "4-6", "1")
    assert done.returncode == 1
    assert b"can not hold the container to NUMA node 1: No such file or directory" in done.stderr
    assert b"needs the controller cpuset" in done.stderr


@pytest.mark.parametrize("words", [("cell",), ("cell", "1"), ("other", "1", "2")])
def test_words_that_are_none_are_refused(hook: Path, child, tmp_path: Path, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    done = run(hook, tmp_path, child.pid, {}, None, *words)
    assert done.returncode == 1
    assert b"cell CPUS NODES" in done.stderr
