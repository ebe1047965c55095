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


def run(hook: Path, root: Path, pid: int, files: dict[str, str], state: str | None = None):  # type: ignore[no-untyped-def]
    folder = root / "cgroup" / "pods" / "one"
    folder.mkdir(parents=True)
    (root / "proc" / str(pid)).mkdir(parents=True)
    (root / "proc" / str(pid) / "cgroup").write_text("0::/pods/one\n")
    for name, text in files.items():
        (root / "cgroup" / "pods" / name).write_text(text + "\n")
    text = json.dumps({"annotations": {"pid": 1, "q": '"{'}, "pid": pid, "bundle": "/x"}) if state is None else state
    environment = {"LIBVF_PROC": str(root / "proc"), "LIBVF_CGROUP": str(root / "cgroup")}
    environment["LIBVF_SLACK"] = str(SLACK)
    return subprocess.run([hook], input=text.encode(), env=environment, capture_output=True, check=False)


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
