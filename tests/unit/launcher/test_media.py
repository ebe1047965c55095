"""What a guest is told on volumes of its own: made by the real xorriso, attached to a real QEMU, read back."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from libvf_api import launch
from libvf_api.launch import Launch
from libvf_launcher import iso, media
from libvf_launcher.errors import BadMachine
from libvf_launcher.paths import Paths

from lab.emulator import qemu
from lab.trixie import programs
from tests.unit.launcher.seen import files, label
from tests.unit.launcher.test_life import Running

UID = "5f0c3a52-3a3d-4a6b-9d6e-0d8a4c6b1e11"
SEED: dict[str, Any] = {"cloudInit": {"secretName": "web-seed"}}
ANSWERS: dict[str, Any] = {"sysprep": {"secretName": "answers"}}
PASSWORD = b"#cloud-config\npassword: hunter2\n"


@pytest.fixture(autouse=True)
def trixie(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{programs('xorriso', 'xorriso')}:{qemu().parent}:{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths(tmp_path / "c")
    for folder in (found.run, found.state):
        folder.mkdir(parents=True)
    return found


def _launch(spec: dict[str, Any], name: str = "web") -> Launch:
    body = {"name": name, "namespace": "lab", "uid": UID, "spec": {"memory": {"size": "1Gi"}, **spec}}
    return launch.decode(json.dumps(body))


def _secret(paths: Paths, field: str, **keys: bytes) -> None:
    """A Secret as kubelet mounts it: each key is a link into a folder that is swapped as a whole."""
    folder = paths.secrets / field
    (folder / "..2026").mkdir(parents=True)
    (folder / "..data").symlink_to("..2026")
    for key, content in keys.items():
        name = key.replace("_", {"cloudInit": "-", "sysprep": ".", "sshKeys": "_"}[field])
        (folder / "..2026" / name).write_bytes(content)
        (folder / name).symlink_to(f"..data/{name}")


def test_a_seed_is_a_volume_cidata_with_the_secrets_files_and_the_machines_own_name(
    paths: Paths, tmp_path: Path
) -> None:
    _secret(paths, "cloudInit", user_data=PASSWORD, network_config=b"version: 2\n")
    iso.make(_launch(SEED), paths)
    volume = paths.run / "cidata.iso"
    assert label(volume) == "cidata"
    assert files(volume, tmp_path / "seen") == {
        "user-data": PASSWORD,
        "network-config": b"version: 2\n",
        "meta-data": f'instance-id: "{UID}"\nlocal-hostname: "web"\n'.encode(),
    }


def test_user_data_that_is_no_secret_stands_in_the_spec(paths: Paths, tmp_path: Path) -> None:
    iso.make(_launch({"cloudInit": {"userData": "#!/bin/sh\necho hello\n"}}), paths)
    assert files(paths.run / "cidata.iso", tmp_path / "seen")["user-data"] == b"#!/bin/sh\necho hello\n"


def test_meta_data_of_the_secret_goes_before_our_own(paths: Paths) -> None:
    secret = {"user-data": b"", "meta-data": b"instance-id: again\n"}
    assert media.seed(_launch(SEED), secret)["meta-data"] == b"instance-id: again\n"


def test_a_machine_called_like_a_number_keeps_its_name(paths: Paths) -> None:
    assert b'local-hostname: "007"' in media.seed(_launch(SEED, name="007"), {"user-data": b""})["meta-data"]


def test_a_secret_that_changed_is_read_again(paths: Paths, tmp_path: Path) -> None:
    _secret(paths, "cloudInit", user_data=b"old")
    iso.make(_launch(SEED), paths)
    shutil.rmtree(paths.secrets)
    _secret(paths, "cloudInit", user_data=b"new")
    iso.make(_launch(SEED), paths)
    assert files(paths.run / "cidata.iso", tmp_path / "seen")["user-data"] == b"new"


def test_answers_for_windows_setup_are_on_a_cd_with_all_the_secret_has(paths: Paths, tmp_path: Path) -> None:
    _secret(paths, "sysprep", Autounattend_xml=b"<unattend/>", first_ps1=b"exit")
    iso.make(_launch(ANSWERS), paths)
    assert label(paths.run / "unattend.iso") == "UNATTEND"
    seen = files(paths.run / "unattend.iso", tmp_path / "seen")
    assert seen == {"Autounattend.xml": b"<unattend/>", "first.ps1": b"exit"}


@pytest.mark.parametrize(
    ("spec", "field", "keys", "words"),
    [
        (SEED, "cloudInit", None, "spec.cloudInit: Secret web-seed is not there or empty, and needs user-data"),
        (SEED, "cloudInit", {"userdata": b"x"}, "Secret web-seed has userdata, and needs user-data"),
        (
            {"guestTools": {"sshKeys": {"secretName": "k"}}},
            "sshKeys",
            None,
            "Secret k is not there or empty, and needs",
        ),
        (ANSWERS, "sysprep", {"answer_xml": b"x"}, "has answer.xml, and needs autounattend.xml or unattend.xml"),
    ],
)
def test_a_secret_that_is_not_there_or_lacks_a_key_is_told_and_how_to_mend_it(
    paths: Paths, spec: dict[str, Any], field: str, keys: dict[str, bytes] | None, words: str
) -> None:
    (paths.secrets / field).mkdir(parents=True)
    if keys:
        (paths.secrets / field).rmdir()
        _secret(paths, field, **keys)
    with pytest.raises(BadMachine) as refused:
        iso.make(_launch(spec), paths)
    assert words in str(refused.value)
    assert "create it in namespace lab" in str(refused.value)


def test_guest_tools_are_the_users_folder_and_scripts_that_install_it(paths: Paths, tmp_path: Path) -> None:
    driver = paths.tools / "NetKVM/w11/amd64/a driver whose name is longer than the sixty-four characters of Joliet.inf"
    driver.parent.mkdir(parents=True)
    driver.write_bytes(b"[Version]")
    (paths.tools / "lost+found").mkdir(mode=0o700)
    _secret(paths, "sshKeys", authorized_keys=b"ssh-ed25519 AAAA ada\n")
    iso.make(_launch({"guestTools": {"image": {"reference": "x"}, "sshKeys": {"secretName": "k"}}}), paths)
    volume = paths.state / "guest-tools.iso"
    seen = files(volume, tmp_path / "seen")
    assert label(volume) == "LIBVFTOOLS"
    assert sorted(seen) == [
        "authorized_keys",
        f"files/{driver.relative_to(paths.tools)}",
        *("install.cmd", "install.ps1", "install.sh"),
    ]
    assert b"\r\n" in seen["install.cmd"]
    assert b"\r" not in seen["install.sh"]


def test_guest_tools_without_a_folder_are_the_scripts_alone(paths: Paths, tmp_path: Path) -> None:
    iso.make(_launch({"guestTools": {"enabled": True}}), paths)
    seen = files(paths.state / "guest-tools.iso", tmp_path / "seen")
    assert sorted(seen) == ["install.cmd", "install.ps1", "install.sh"]


def test_a_folder_that_cannot_be_read_is_told_in_xorrisos_words(paths: Paths) -> None:
    with pytest.raises(BadMachine, match=r"(?s)spec\.guestTools: the volume LIBVFTOOLS cannot be made: .*guest-tools"):
        iso.make(_launch({"guestTools": {"image": {"reference": "x"}}}), paths)


def test_nothing_secret_is_left_beside_the_volume(paths: Paths) -> None:
    _secret(paths, "cloudInit", user_data=PASSWORD)
    iso.make(_launch(SEED), paths)
    assert [path.name for path in paths.run.iterdir()] == ["cidata.iso"]
    assert list(paths.state.iterdir()) == []


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    cdroms = [{"name": f"cd{number}", "hostPath": {"path": "/x"}} for number in range(6)]
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running(tmp_path / "c", **SEED, **ANSWERS, cdroms=cdroms))
        return started[-1]

    _secret(Paths(tmp_path / "c"), "cloudInit", user_data=PASSWORD)
    _secret(Paths(tmp_path / "c"), "sysprep", unattend_xml=b"<hunter2/>")
    for cdrom in cdroms:
        file = Paths(tmp_path / "c").volume(str(cdrom["name"])) / "disk"
        file.parent.mkdir(parents=True)
        file.write_bytes(bytes(1 << 20))
    yield begin
    for machine in started:
        machine.kill()


def test_the_volumes_find_a_place_beside_six_cdroms_and_no_secret_is_in_the_log(
    start: Callable[[], Running], capfd: pytest.CaptureFixture[str]
) -> None:
    machine = start()
    machine.until(machine.paths.ready.exists)
    asked = subprocess.run([sys.executable, "-c", _QUERY, str(machine.paths.root)], capture_output=True, text=True)
    inserted = {block["inserted"]["file"] for block in json.loads(asked.stdout) if "inserted" in block}
    volumes = {str(machine.paths.run / name) for name in ("cidata.iso", "unattend.iso")}
    assert volumes < inserted
    assert len(inserted) == 8
    told = "".join(capfd.readouterr())
    assert "cidata.iso" in told
    assert "hunter2" not in told


_QUERY = "import sys; from pathlib import Path; from libvf_launcher.paths import Paths; "
_QUERY += "from libvf_launcher.__main__ import main; main(['qmp', 'query-block'], Paths(Path(sys.argv[1]), 0))"
