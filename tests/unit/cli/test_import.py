"""`kubectl vf import`: files of LibVF.IO's, written by us from the facts of its format."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from libvf_cli.__main__ import main
from libvf_cli.original.convert import Imported, imported
from libvf_cli.original.document import BadOriginal, read
from libvf_cli.original.draft import Outcome, leaves
from libvf_cli.original.keys import KEYS, general
from libvf_cli.original.storage import Storage

from tests.unit.cli.conftest import Kubectl

FOLDER = Path(__file__).parent / "originals"
FILES = sorted(FOLDER.glob("*.yaml"))

DROPPED = {
    "everything": {
        "startintro", "startapp", "root", "sudo", "container.initialSize", "container.iso", "gpus[0].parentPort",
        "gpus[0].devId", "gpus[0].suffix", "gpus[1].acceptableTypes[0]", "installOs", "startupCommands[0]",
        "teardownCommands[0]", "installCommands[0]", "appCommands[0]",
    },
    "amd": {"gpus[0].acceptableTypes[0]", "gpus[0].acceptableTypes[1]"},
    "blacklist": {"gpus[0].suffix", "blacklistedPci[2]"},
    "commands": {
        "commands[2].values[0]", "startupCommands[0].command", "startupCommands[0].args[0]", "startupCommands[0].sudo",
        "appCommands[0].command",
    },
    "intel": {
        "gpus[0].minVRam", "gpus[0].maxVRam", "gpus[0].parentPort", "container.initialSize", "startintro", "root",
        "sudo",
    },
    "nvidia-10xx": {"gpus[0].suffix", "container.initialSize", "container.iso"},
    "nvidia-20xx": {"gpus[0].suffix"},
    "nvidia-gvm": {"gpus[0].minVRam", "gpus[0].maxVRam"},
    "passthrough": set(),
    "plain": {"gpus[0].suffix", "startintro", "colour"},
    "ports": {"connectivity.exposedPorts[2]"},
    "several-gpus": {"gpus[0].parentPort", "commands[1].values[0]"},
}  # fmt: skip


def made(text: str, **store: Any) -> Imported:
    return imported(text, "file", Storage(**store))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_becomes_these_resources(file: Path) -> None:
    found = imported(file.read_text(), file.stem, Storage())
    text = yaml.safe_dump_all([found.machine, *found.policies], sort_keys=False)
    golden = FOLDER / "golden" / file.name
    if os.environ.get("LIBVF_RENEW"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_key_of_a_file_is_spoken_of_and_what_has_no_equal_says_why(file: Path) -> None:
    found = imported(file.read_text(), file.stem, Storage())
    spoken = {note.key for note in found.notes}
    for path, _ in leaves(read(file.read_text())):
        above = {path[:at] for at, mark in enumerate(path) if mark in "[."}
        assert spoken & {path, *above}, path
    dropped = {note.key: note.why for note in found.notes if note.outcome is Outcome.DROPPED}
    assert set(dropped) == DROPPED[file.stem]
    assert all(dropped.values())


def test_no_key_of_the_format_is_unknown() -> None:
    text = (FOLDER / "everything.yaml").read_text()
    paths = {general(path) for path, _ in leaves(read(text))}
    assert paths | {path[:at] for path in paths for at, mark in enumerate(path) if mark in "[."} >= set(KEYS) - {
        f"{kind}[]" for kind in ("gpus", "nics", "commands")
    }
    assert not [note.key for note in made(text).notes if "has no such key" in note.why]


@pytest.mark.parametrize("key", sorted({key.partition(".")[0].removesuffix("[]") for key in KEYS} - {"cpus"}))
def test_a_key_that_says_nothing_is_nothing_to_tell(key: str) -> None:
    empty = {"name": "a", "installOs": "none", "introspect": "none"}.get(key)
    if key in ("nographics", "spice", "showhypervisor", "spicePort", "sshPort", "vncPort"):
        empty = KEYS[key].default
    told = [note for note in made(json.dumps({key: empty})).told if note.key == key]
    assert [note.outcome for note in told] == (["changed"] if key == "sshPort" else [])


def test_tags_of_nim_and_lists_of_one_key_maps_are_plain_objects() -> None:
    found = read((FOLDER / "intel.yaml").read_text())
    assert found["gpus"][0]["mdevType"] == "i915-GVTg_V4_1"
    assert found["shareddir"] is None


def test_addresses_are_no_numbers_of_base_sixty() -> None:
    found = read("blacklistedPci: [02:00.0]\nnics: [{mac: 52:54:00:12:34:56}]")
    assert found == {"blacklistedPci": ["02:00.0"], "nics": [{"mac": "52:54:00:12:34:56"}]}


def test_the_originals_own_defaults_hold_where_the_file_says_nothing() -> None:
    spec = made("name: a").machine["spec"]
    assert spec["cpu"] == {"cores": 4, "sockets": 1, "threads": 1}
    assert spec["memory"] == {"size": "8192Mi"}
    assert spec["display"] == ["lookingGlass"]
    assert spec["ports"] == [{"name": "ssh", "port": 22, "servicePort": 2222}]
    assert "hideHypervisor" not in spec


def test_an_installation_is_carried_where_it_is_asked_for() -> None:
    text = "{name: win, installOs: win10, container: {kernel: win.qcow2, initialSize: 60, iso: win10.iso}}"
    found = made(text, claim="images", install=True)
    spec = found.machine["spec"]
    assert spec["install"] == {"iso": "iso", "disk": "root"}
    assert spec["disks"][0]["persistentVolumeClaim"] == {"claimName": "images", "path": "win.qcow2", "create": "60Gi"}
    assert spec["cdroms"] == [{"name": "iso", "persistentVolumeClaim": {"claimName": "images", "path": "win10.iso"}}]
    assert spec["sysprep"] == {"secretName": "win-sysprep"}
    assert not [note for note in found.notes if note.outcome is Outcome.DROPPED]


def test_paths_of_a_host_are_used_on_the_node_unless_a_claim_has_the_images() -> None:
    text = "container: {kernel: /home/ada/win.qcow2}"
    assert made(text).machine["spec"]["disks"][0]["hostPath"] == {"path": "/home/ada/win.qcow2"}
    on_claim = made(text, claim="images").machine["spec"]["disks"][0]
    assert on_claim["persistentVolumeClaim"] == {"claimName": "images", "path": "win.qcow2"}


def test_one_file_never_has_two_writers() -> None:
    found = made("container: {kernel: a.qcow2, state: [a.qcow2, b.qcow2]}", claim="images")
    assert [disk["name"] for disk in found.machine["spec"]["disks"]] == ["root", "state1"]
    assert "one writer" in next(note.why for note in found.notes if note.key == "container.state[0]")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b", "must stand at the top"),
        ("a: [", "this is no YAML"),
        ("cpus: {cores: many}", "cpus.cores: 'many' is no whole number"),
        ("cpus: {cores: 1, cores: 2}", "cores stands there twice"),
        ("gpus: [{gpuType: magic}]", "gpus[0].gpuType: 'magic' is none of sysfsdev, sriovdev, passthrough"),
        ("gpus: 1", "gpus: '1' is no list"),
        ("spice: maybe", "spice: 'maybe' is neither true nor false"),
        ("introspect: telescope", "introspect: 'telescope' is neither"),
        ("connectivity: {exposedPorts: [{host: 1}]}", "exposedPorts[0].guest: the port in the guest is missing"),
        ("connectivity: {exposedPorts: [{guest: 1, protocol: sctp}]}", "'sctp' is neither tcp nor udp"),
        ("name: '***'", "gives no name"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_key(text: str, words: str) -> None:
    with pytest.raises(BadOriginal) as told:
        made(text)
    assert words in str(told.value)


def test_yaml_goes_to_the_output_and_words_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(FOLDER / "passthrough.yaml")]) == 0
    told = capsys.readouterr()
    [machine] = yaml.safe_load_all(told.out)
    assert machine["metadata"] == {"name": "whole"}
    assert "gpus[0].bdf" in told.err
    assert "1 GpuPolicies are left out" in told.err


def test_policies_are_added_where_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--policies", str(FOLDER / "blacklist.yaml")]) == 0
    _, policy = yaml.safe_load_all(capsys.readouterr().out)
    assert policy["spec"] == {"exclude": ["0000:02:00.0", "0000:17:00.0"]}


def test_programs_get_every_key_with_what_became_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "-o", "json", str(FOLDER / "plain.yaml")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {general(note["key"]) for note in told["notes"]} >= {"name", "cpus.cores", "gpus[].suffix", "colour"}
    assert {note["outcome"] for note in told["notes"]} == {"carried", "dropped"}
    assert told["machine"]["kind"] == "VirtualMachine"


def test_applied_it_goes_to_kubectl_in_the_users_namespace(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers("apply", output="virtualmachine.libvf.io/whole created")
    assert main(["import", "--apply", "-n", "team", str(FOLDER / "passthrough.yaml")]) == 0
    assert capsys.readouterr().out == "virtualmachine.libvf.io/whole created\n"
    assert kubectl.calls == [["--namespace=team", "apply", "--filename=-"]]


def test_a_file_that_is_not_there_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "no-such-file"]) == 2
    assert "no-such-file: No such file or directory" in capsys.readouterr().err
