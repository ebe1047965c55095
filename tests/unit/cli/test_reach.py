"""`kubectl vf ssh`: a kubectl and an ssh of a few lines each, which say how they were called."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from libvf_cli.__main__ import main

MACHINE: dict[str, Any] = {
    "metadata": {"name": "desk", "namespace": "team", "uid": "u1"},
    "spec": {"ports": [{"name": "web", "port": 80}, {"name": "ssh", "port": 22, "servicePort": 2222}]},
    "status": {"podName": "desk"},
}
KUBECTL = """#!{python}
import json, sys, time
if "port-forward" in sys.argv:
    open({calls!r}, "w").write(json.dumps(sys.argv[1:]))
    if {refused!r}:
        sys.exit({refused!r})
    print("Forwarding from 127.0.0.1:40123 -> 2222", flush=True)
    time.sleep(60)
print({machine!r})
"""
SSH = """#!{python}
import json, sys
print(json.dumps(sys.argv[1:]))
sys.exit(7)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    write(folder, MACHINE)
    return folder


def write(folder: Path, machine: dict[str, Any], refused: str = "") -> None:
    values = {"python": sys.executable, "machine": json.dumps(machine), "refused": refused}
    for name, text in (("kubectl", KUBECTL), ("ssh", SSH)):
        (folder / name).write_text(text.format(calls=str(folder / "calls"), **values))
        (folder / name).chmod(0o755)


def test_a_command_runs_in_the_guest_through_its_service(programs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["ssh", "desk", "-l", "ada", "-i", "key", "--", "ls", "-l"]) == 7
    assert json.loads(capfd.readouterr().out) == [
        "-o", "HostKeyAlias=desk.team.u1.libvf", "-p", "40123", "-i", "key", "-l", "ada", "127.0.0.1", "--", "ls", "-l",
    ]  # fmt: skip
    assert json.loads((programs / "calls").read_text()) == [
        "port-forward", "service/desk", "--namespace=team", "--address=127.0.0.1", ":2222",
    ]  # fmt: skip


def test_without_a_port_of_ssh_the_cure_is_told(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(programs, {**MACHINE, "spec": {}})
    assert main(["ssh", "desk"]) == 1
    assert "add {name: ssh, port: 22} to spec.ports, and kubectl vf restart desk" in capsys.readouterr().err


def test_what_kubectl_refuses_is_told(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(programs, MACHINE, refused="error: services is forbidden")
    assert main(["ssh", "desk"]) == 1
    assert capsys.readouterr().err == "kubectl-vf: kubectl port-forward: error: services is forbidden\n"
