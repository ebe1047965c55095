"""`kubectl vf create` and `install`: flags as a spec, and what is followed."""

import json
from typing import Any

import pytest
import yaml
from libvf_cli import spec
from libvf_cli.__main__ import main
from libvf_cli.errors import BadInput
from libvf_cli.machines import plain
from libvf_cli.spec import Wanted

from tests.unit.cli.conftest import Kubectl


def made(**flags: Any) -> Any:
    return spec.machine("desk", Wanted(**flags))["spec"]


def test_a_machine_without_flags_is_small_and_runs() -> None:
    assert made() == {"runStrategy": "Always", "cpu": {"cores": 2}, "memory": {"size": "4Gi"}}


@pytest.mark.parametrize(
    ("text", "disk"),
    [
        ("root=pvc:desk", {"persistentVolumeClaim": {"claimName": "desk"}}),
        ("root=pvc:desk/a/b.img,format=qcow2", {
            "persistentVolumeClaim": {"claimName": "desk", "path": "a/b.img"}, "format": "qcow2",
        }),
        ("root=pvc:desk,create=40Gi", {"persistentVolumeClaim": {"claimName": "desk", "create": "40Gi"}}),
        ("root=image:registry:5000/x/y:1,pull=Always,changes=Keep", {
            "image": {"reference": "registry:5000/x/y:1", "pullPolicy": "Always"}, "changes": "Keep",
        }),
        ("root=path:/a.img,bus=sata,readonly", {"hostPath": {"path": "/a.img"}, "bus": "sata", "readOnly": True}),
        ("root=size:20Gi", {"size": "20Gi"}),
    ],
)  # fmt: skip
def test_disks_come_from_everywhere(text: str, disk: dict[str, Any]) -> None:
    assert made(disk=[text])["disks"] == [{"name": "root", **disk}]


@pytest.mark.parametrize(
    ("text", "gpu"),
    [
        ("any", {}),
        ("vram=1Gi..4Gi,vendor=nvidia", {"vram": {"min": "1Gi", "max": "4Gi"}, "vendor": "nvidia"}),
        ("vram=2Gi", {"vram": {"min": "2Gi"}}),
        ("vram=..4Gi", {"vram": {"max": "4Gi"}}),
        ("type=nvidia-*,mode=mediated", {"type": "nvidia-*", "mode": "Mediated"}),
        ("partition=mine", {"partitionRef": "mine"}),
    ],
)
def test_slices_are_asked_for_by_size_type_or_partition(text: str, gpu: dict[str, Any]) -> None:
    assert made(gpu=[text, "any"])["gpus"] == [{"name": "gpu0", **gpu}, {"name": "gpu1"}]


def test_the_firmware_of_windows_11_is_two_flags_and_its_volume() -> None:
    found = made(secure_boot=True, tpm=True, state="64Mi", windows=True)
    assert found["firmware"] == {"uefi": {"secureBoot": True}, "tpm": True}
    assert found["state"] == {"size": "64Mi"}
    assert found["clock"] == "LocalTime"
    assert made(state="pvc:vars")["state"] == {"persistentVolumeClaim": {"claimName": "vars"}}


def test_ports_are_of_the_guest_and_of_its_service() -> None:
    assert made(port=["ssh=22", "web=80:8080/tcp", "dns=53/UDP"])["ports"] == [
        {"name": "ssh", "port": 22},
        {"name": "web", "port": 80, "servicePort": 8080, "protocol": "TCP"},
        {"name": "dns", "port": 53, "protocol": "UDP"},
    ]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"disk": ["root"]}, "write NAME=SOURCE"),
        ({"disk": ["root=floppy:a"]}, "write the source as pvc:CLAIM"),
        ({"disk": ["root=path:relative"]}, "write the source as"),
        ({"disk": ["root=pvc:a,speed=9"]}, "'speed' is none of"),
        ({"disk": ["root=size:1Gi,create=2Gi"]}, "goes with a persistentVolumeClaim alone"),
        ({"cdrom": ["iso=size:1Gi"]}, "a CD-ROM has a source"),
        ({"share": ["s=image:x"]}, "a folder is pvc:CLAIM or path:/FOLDER"),
        ({"gpu": ["size=4Gi"]}, "'size' is none of"),
        ({"port": ["22"]}, "write NAME=PORT"),
        ({"state": "disk:a"}, "write a size such as 64Mi, or pvc:CLAIM"),
    ],
)
def test_a_flag_that_says_nothing_is_told_with_what_it_could_say(flags: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as told:
        made(**flags)
    assert words in str(told.value)


def test_wrong_use_ends_with_two_and_asks_nobody(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", "desk", "--disk", "root"]) == 2
    assert "kubectl-vf: --disk root: write NAME=SOURCE" in capsys.readouterr().err
    assert main(["create"]) == 2
    assert not (kubectl.folder / "calls").exists()


def test_a_dry_run_only_prints(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", "desk", "--dry-run", "--memory", "1Gi"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["spec"]["memory"] == {"size": "1Gi"}
    assert not (kubectl.folder / "calls").exists()


MACHINE = {
    "metadata": {"name": "desk", "namespace": "team", "generation": 2},
    "spec": {"runStrategy": "Halted", "memory": {"size": "1Gi"}, "disks": [{"name": "root", "size": "1Gi"}]},
}


def test_an_installer_is_the_first_cd_rom_and_replaces_the_one_before() -> None:
    before = {**MACHINE, "spec": {**MACHINE["spec"], "cdroms": [{"name": "installer"}, {"name": "tools"}]}}
    patch = spec.installing(before, "pvc:isos/a.iso", "root", "")
    assert [each["name"] for each in patch["spec"]["cdroms"]] == ["installer", "tools"]
    assert patch["spec"]["install"] == {"iso": "installer", "disk": "root"}
    assert patch["spec"]["disks"] == MACHINE["spec"]["disks"]


def test_a_new_disk_comes_first_as_it_is_booted_from() -> None:
    patch = spec.installing(MACHINE, "path:/a.iso", "system", "pvc:desk,create=20Gi")
    assert [each["name"] for each in patch["spec"]["disks"]] == ["system", "root"]
    with pytest.raises(BadInput, match="there is: root"):
        spec.installing(MACHINE, "path:/a.iso", "system", "")
    with pytest.raises(BadInput, match="is there: leave --new out"):
        spec.installing(MACHINE, "path:/a.iso", "root", "size:1Gi")


def told(status: str, reason: str, **conditions: str) -> dict[str, Any]:
    found = [
        {"type": "Installed", "status": status, "reason": reason, "message": f"{reason}.", "observedGeneration": 2}
    ]
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": f"{reason}.", "observedGeneration": 2}
    return {**MACHINE, "status": {"podName": "desk", "conditions": [*found, ready]}}


def test_an_installation_is_followed_to_its_end(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("logs", output="SeaBIOS\n\x1b[1;32mInstalling the base system\x1b[0m\n\n")
    kubectl.answers("patch", output=MACHINE)
    kubectl.answers("get", output=told("True", "Installed"))
    assert main(["install", "desk", "--iso", "path:/a.iso"]) == 0
    seen = capsys.readouterr()
    assert seen.out == "desk is installed on root\n"
    assert "Installing the base system\n" in seen.err
    patches = [call[-2] for call in kubectl.calls if "patch" in call]
    assert json.loads(patches[0].partition("=")[2])["spec"]["install"] == {"iso": "installer", "disk": "root"}
    assert json.loads(patches[1].partition("=")[2])["spec"] == {"runStrategy": "Always"}


def test_an_installation_that_failed_ends_with_the_operators_words(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers("logs", code=1)
    kubectl.answers("patch", output=MACHINE)
    kubectl.answers("get", output=told("False", "InstallFailed"))
    assert main(["install", "desk", "--iso", "path:/a.iso", "-o", "json"]) == 1
    error = json.loads(capsys.readouterr().err.splitlines()[-1])["error"]
    assert error == "desk is not installed: InstallFailed.; kubectl vf vnc desk shows its screen"


def test_a_guests_words_move_no_cursor() -> None:
    assert plain("\x1b[2J\x1b[31mred\x07\x1b]0;title\x07 \x9b1mbold") == "red0;title 1mbold"
