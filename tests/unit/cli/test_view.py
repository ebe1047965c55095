"""`kubectl vf view` and how viewers are started: from a Pod's volume to a command."""

from pathlib import Path
from typing import Any

import pytest
from libvf_cli import shared_memory, viewers
from libvf_cli.errors import NoProgram, NoStream
from libvf_cli.forward import Where
from libvf_cli.viewers import Shared

MACHINE: dict[str, Any] = {"metadata": {"name": "desk"}, "spec": {"display": ["lookingGlass"]}}
MOUNT = {"name": "libvf-shared", "mountPath": "/dev/shm"}
POD: dict[str, Any] = {
    "metadata": {"name": "desk", "uid": "u1"},
    "spec": {"nodeName": "n1", "containers": [{"name": "launcher", "volumeMounts": [MOUNT]}]},
}


def volume(kubelet: Path) -> Path:
    folder = kubelet / "pods" / "u1" / "volumes" / "kubernetes.io~empty-dir" / "libvf-shared"
    folder.mkdir(parents=True)
    return folder


def test_frames_and_sound_are_in_the_pods_volume_on_its_node(tmp_path: Path) -> None:
    folder = volume(tmp_path)
    (folder / "looking-glass").write_bytes(b"")
    assert shared_memory.shared(MACHINE, POD, "n1", tmp_path) == Shared(str(folder / "looking-glass"))
    (folder / "scream").write_bytes(b"")
    assert shared_memory.shared(MACHINE, POD, "n1", tmp_path).sound == str(folder / "scream")


def test_on_another_host_the_way_to_the_screen_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoStream, match="desk runs on node n1, and this is n2: memory is shared within one host"):
        shared_memory.shared(MACHINE, POD, "n2", tmp_path)


def test_memory_that_is_not_for_this_user_is_told(tmp_path: Path) -> None:
    volume(tmp_path)
    with pytest.raises(NoStream, match=r"only root and uid 107 on node n1 may use it: sudo"):
        shared_memory.shared(MACHINE, POD, "n1", tmp_path)


def test_a_machine_that_shares_no_screen_is_told_how_to(tmp_path: Path) -> None:
    with pytest.raises(NoStream, match=r"add lookingGlass to spec.display and kubectl vf restart desk"):
        shared_memory.shared({**MACHINE, "spec": {}}, POD, "n1", tmp_path)
    bare = {**POD, "spec": {**POD["spec"], "containers": [{"name": "launcher"}]}}
    with pytest.raises(NoStream, match="its Pod is older than its display"):
        shared_memory.shared(MACHINE, bare, "n1", tmp_path)


def test_looking_glass_has_its_keys_by_spice_where_there_is_one() -> None:
    assert viewers.looking_glass("lg", Shared("/f")) == ["lg", "-f", "/f", "-s"]
    assert viewers.looking_glass("lg", Shared("/f", socket="/s")) == ["lg", "-f", "/f", "-c", "/s", "-p", "0"]
    assert viewers.scream(Shared("/f", "/sound")) == ["scream", "-m", "/sound"]


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("remote-viewer", ["remote-viewer", "vnc://127.0.0.1:5901"]),
        ("gvncviewer", ["gvncviewer", "127.0.0.1:1"]),
        ("/opt/vncviewer", ["/opt/vncviewer", "127.0.0.1::5901"]),
    ],
)
def test_each_vnc_viewer_has_its_own_way_to_name_a_port(program: str, command: list[str]) -> None:
    assert viewers.vnc(program, Where(5901)) == command


def test_spice_viewers_take_a_port_or_a_socket() -> None:
    assert viewers.spice("spicy", Where(5)) == ["spicy", "--uri=spice://127.0.0.1:5"]
    assert viewers.spice("remote-viewer", Where(socket=Path("/s"))) == ["remote-viewer", "spice+unix:///s"]


def test_a_program_that_is_not_there_is_told_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoProgram, match=r"no remote-viewer nor spicy on PATH: install one"):
        viewers.found(viewers.SPICE)
    (tmp_path / "spicy").write_text("#!/bin/sh\n")
    (tmp_path / "spicy").chmod(0o755)
    assert viewers.found(viewers.SPICE) == "spicy"
