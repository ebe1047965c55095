"""`libvf_agent capture` as a person or another program calls it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from libvf_agent.__main__ import main
from libvf_api.capture import unpack

from tests.unit.agent.doctor import hosts
from tests.unit.agent.doctor.hosts import A2, PCI, UHD, Host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return hosts.with_nvidia(tmp_path)


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "libvf_agent", "capture", *arguments]
    return subprocess.run(argv, capture_output=True, env={**os.environ, **(environment or {})}, timeout=60)


def test_without_a_file_the_archive_and_nothing_else_is_standard_output(host: Host) -> None:
    done = run("--root", str(host.root))
    assert (done.returncode, done.stderr) == (0, b"")
    assert unpack(done.stdout).files[f"{PCI}/{A2}/vendor"] == "0x10de\n"


def test_a_file_is_written_once_and_never_over_another(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    file = host.root / "host.tar.gz"
    call = ["capture", "--root", str(host.root), "--output", str(file)]
    assert main(call) == 0
    assert "look at it before you send it" in capsys.readouterr().out
    before = file.read_bytes()
    assert unpack(before).manifest.kernel == "6.12.9-amd64"
    assert main(call) == 1
    assert capsys.readouterr().err.strip().endswith("host.tar.gz is there already: name another file with --output")
    assert file.read_bytes() == before


def test_one_card_can_be_asked_for(host: Host) -> None:
    host.card(UHD, "8086:5912", "i915")
    found = unpack(run("--root", str(host.root), "--card", "00:02.0").stdout)
    assert f"{PCI}/{UHD}/vendor" in found.files
    assert f"{PCI}/{A2}/vendor" not in found.files


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--card", "0000:99:00.0"], "there is no PCI function 0000:99:00.0 on this host: lspci -D lists them"),
        (["--card", "ninety-nine"], "'ninety-nine' is no PCI address: write it as 0000:3b:00.0"),
        (["--output", "/no/such/folder/x"], "No such file or directory"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(host: Host, arguments: list[str], told: str) -> None:
    done = run("--root", str(host.root), *arguments)
    assert (done.returncode, done.stdout) == (1, b"")
    assert told in done.stderr.decode()


def test_a_root_that_is_no_host_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "--root", str(tmp_path), "--output", str(tmp_path / "x")]) == 1
    assert "name the root folder of a host with --root" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_looking_makes_and_changes_nothing_on_the_host(host: Host) -> None:
    before = {path: path.lstat().st_mtime_ns for path in host.root.rglob("*")}
    assert run("--root", str(host.root)).returncode == 0
    assert {path: path.lstat().st_mtime_ns for path in host.root.rglob("*")} == before


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(host: Host) -> None:
    place = host.root / f"{PCI}/{A2}/reset_method"
    os.mkfifo(place)
    found = unpack(run("--root", str(host.root)).stdout)
    assert found.manifest.refused == {f"{PCI}/{A2}/reset_method": "EINVAL"}


def test_a_file_without_end_is_read_to_the_limit_and_refused(host: Host) -> None:
    with (host.root / f"{PCI}/{A2}/resource").open("wb") as file:
        file.truncate(1 << 40)
    assert unpack(run("--root", str(host.root)).stdout).manifest.refused == {f"{PCI}/{A2}/resource": "EFBIG"}


def test_in_a_pod_the_distribution_is_that_of_the_first_process(host: Host) -> None:
    host.write("etc/os-release", "ID=image")
    host.write("proc/1/root/usr/lib/os-release", "ID=rocky")
    host.link("proc/1/root/etc/os-release", "../usr/lib/os-release")
    assert unpack(run("--root", str(host.root)).stdout).files["etc/os-release"] == "ID=rocky\n"


def test_an_absolute_link_to_the_distribution_does_not_lead_out_of_the_host(host: Host) -> None:
    host.link("proc/1/root/etc/os-release", "/etc/os-release")
    host.write("usr/lib/os-release", "ID=alpine")
    assert unpack(run("--root", str(host.root)).stdout).files["etc/os-release"] == "ID=alpine\n"


def test_a_host_called_as_its_distribution_keeps_the_word(host: Host) -> None:
    host.write("etc/os-release", "ID=debian")
    host.write("proc/sys/kernel/hostname", "debian")
    host.write("proc/sys/kernel/osrelease", "6.12.9-debian")
    assert unpack(run("--root", str(host.root)).stdout).manifest.kernel == "6.12.9-debian"


def test_a_node_called_otherwise_than_its_host_is_not_named_either(host: Host) -> None:
    host.write("proc/sys/kernel/osrelease", "6.12.9-babbage")
    done = run("--root", str(host.root), environment={"NODE_NAME": "babbage"})
    assert unpack(done.stdout).manifest.kernel == "6.12.9-host"


def test_looking_needs_neither_grpc_nor_a_kubernetes_client(host: Host) -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['grpc', 'google', 'kubernetes', 'aiohttp', 'pyudev']));"
        f"from libvf_agent.__main__ import main; sys.exit(main(['capture', '--root', {str(host.root)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert unpack(done.stdout).manifest.files > 20
