"""`kubectl vf` with the real kubectl and the real API server; the gateway's streams through a real kubectl proxy."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from libvf_cli.app import app
from libvf_cli.kubectl import Kubectl
from libvf_cli.streams import source
from typer.testing import CliRunner, Result
from websockets.asyncio.server import ServerConnection, serve

from lab.binaries import binaries

Vf = Callable[..., Result]


@pytest.fixture
def vf(api: Any, monkeypatch: pytest.MonkeyPatch) -> Vf:
    monkeypatch.setenv("PATH", f"{binaries()}:{os.environ['PATH']}")
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    return lambda *arguments: CliRunner().invoke(app, arguments)


def _machine(vf: Vf, name: str, *flags: str) -> None:
    made = vf("create", name, "--memory", "64Mi", *flags)
    assert made.exit_code == 0, made.output


@pytest.mark.integration
def test_a_machine_is_made_from_flags_and_listed(vf: Vf, api: Any) -> None:
    _machine(vf, "cli-made", "--run", "Halted", "--gpu", "vram=1Gi..4Gi,vendor=nvidia", "--disk", "root=image:x/y:1")
    assert api.get("vfvm", "cli-made")["spec"] == {
        "runStrategy": "Halted",
        "cpu": {"cores": 2},
        "memory": {"size": "64Mi"},
        "gpus": [{"name": "gpu0", "vendor": "nvidia", "vram": {"min": "1Gi", "max": "4Gi"}}],
        "disks": [{"name": "root", "image": {"reference": "x/y:1"}}],
    }
    [row] = [line for line in vf("ps").output.splitlines() if line.startswith("cli-made")]
    assert row.split()[:3] == ["cli-made", "New", "-"]
    [told] = json.loads(vf("ps", "cli-made", "-o", "json").output)
    assert (told["cpus"], told["memory"], told["ready"]) == (2, "64Mi", False)


@pytest.mark.integration
def test_what_the_api_server_refuses_is_told_in_its_words(vf: Vf) -> None:
    refused = vf("create", "cli-refused", "--memory", "much")
    assert refused.exit_code == 1
    assert "must be a quantity above zero, such as 8Gi" in refused.output


@pytest.mark.integration
def test_start_and_stop_go_by_the_run_strategy(vf: Vf, api: Any) -> None:
    _machine(vf, "cli-life", "--run", "RerunOnFailure")
    assert vf("stop", "cli-life").exit_code == 0
    assert api.get("vfvm", "cli-life")["spec"]["runStrategy"] == "Halted"
    assert "is off already" in vf("stop", "cli-life").output
    assert vf("restart", "cli-life").exit_code == 1
    assert "RerunOnFailure" in vf("start", "cli-life").output
    machine = api.get("vfvm", "cli-life")
    assert machine["spec"]["runStrategy"] == "RerunOnFailure"
    assert "annotations" not in machine["metadata"]
    assert vf("restart", "cli-life", "-o", "json").exit_code == 0
    assert "libvf.io/restart-requested" in api.get("vfvm", "cli-life")["metadata"]["annotations"]


@pytest.mark.integration
def test_waiting_ends_in_time_and_says_so_by_its_code(vf: Vf) -> None:
    _machine(vf, "cli-waits", "--run", "Halted")
    waited = vf("start", "cli-waits", "--wait", "--timeout", "1")
    assert waited.exit_code == 3
    assert "took longer than 1 s: New: the operator has not looked at it yet" in waited.output


@pytest.mark.integration
def test_an_installation_is_asked_for(vf: Vf, api: Any) -> None:
    _machine(vf, "cli-install", "--run", "Halted")
    refused = vf("install", "cli-install", "--iso", "path:/isos/a.iso")
    assert (refused.exit_code, "say what it is with --new" in refused.output) == (2, True)


@pytest.mark.integration
@pytest.mark.parametrize(
    "words", [("start", "nobody"), ("vnc", "nobody"), ("screenshot", "nobody", "x"), ("ssh", "nobody")]
)
def test_a_machine_that_is_not_there_is_told_with_the_cure(vf: Vf, words: tuple[str, ...]) -> None:
    told = vf(*words)
    assert told.exit_code == 1
    assert "there is no VirtualMachine nobody here: kubectl vf ps -A lists all" in told.output


@pytest.mark.integration
def test_a_slice_that_nobody_offers_is_explained_card_by_card(vf: Vf, api: Any) -> None:
    api.apply(_slice())
    _machine(vf, "cli-pending", "--gpu", "type=nvidia-746")
    api.apply(_partition("cli-pending-gpu0"))
    _status(api, "vfvm", "cli-pending", {"partitions": [{"gpu": "gpu0", "name": "cli-pending-gpu0"}]})
    api.apply(_pod("cli-pending"))
    told = vf("explain-pending", "cli-pending", "-o", "json")
    assert told.exit_code == 1, told.output
    [account] = json.loads(told.output)["accounts"]
    [wait] = account["slices"]
    assert wait["wants"] == "nvidia-746"
    rows = [(row["node"], row["card"], row["type"], row["why"]) for row in wait["rows"] if row["node"] == "cli-n1"]
    assert rows == [("cli-n1", "0000:65:00.4", "nvidia-745", "is another type")]
    assert "is another type" in vf("explain-pending", "cli-pending").output
    api.done("delete", "resourceslice", "cli-n1")
    api.done("delete", "pod,vfvm,gpart", "cli-pending", "cli-pending-gpu0", "--ignore-not-found", "--wait=false")


@pytest.mark.integration
def test_kubectl_itself_completes_commands_options_and_names(vf: Vf, api: Any, tmp_path: Path) -> None:
    _machine(vf, "cli-completed", "--run", "Halted")
    for program, module in (("kubectl-vf", "libvf_cli"), ("kubectl_complete-vf", "libvf_cli.completion")):
        script = tmp_path / program
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        script.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    def completed(*words: str) -> list[str]:
        argv = ["kubectl", "__complete", "vf", *words]
        done = subprocess.run(argv, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert "unpause\tlet a paused guest go on" in completed("unp")
    assert "cli-completed" in [line.partition("\t")[0] for line in completed("start", "cli-comp")]
    assert any(line.startswith("--timeout") for line in completed("start", "--time"))
    assert completed("start", "cli-comp")[-1] == ":4"


@pytest.mark.integration
def test_a_stream_goes_through_kubectl_proxy_to_a_web_socket(vf: Vf, tmp_path: Path) -> None:
    """The API server here is one of ours that knows the gateway's path alone, at the loopback."""
    asked: list[tuple[str, str | None]] = []

    async def guest(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append((connection.request.path, connection.subprotocol))
        await connection.send(b"RFB 003.008\n")
        async for words in connection:
            assert isinstance(words, bytes)
            await connection.send(words[::-1])

    async def looked() -> bytes:
        async with serve(guest, "127.0.0.1", 0, subprotocols=["binary"]) as server:  # type: ignore[list-item]
            port = server.sockets[0].getsockname()[1]
            config = tmp_path / "config"
            config.write_text(json.dumps(_kubeconfig(f"http://127.0.0.1:{port}")))
            machine = {"metadata": {"name": "desk", "namespace": "team"}, "spec": {}}
            async with source(Kubectl((f"--kubeconfig={config}",)), machine, "vnc") as found:
                stream = await found.open()
                said = await stream.read()
                sent = os.urandom(70_000)
                await stream.write(sent)
                assert await stream.read() == sent[::-1]
                await stream.close()
                assert found.absent == ""
                return said

    assert asyncio.run(looked()) == b"RFB 003.008\n"
    base = "/apis/subresources.libvf.io/v1alpha1/namespaces/team/virtualmachines/desk/vnc"
    assert asked == [(base, "binary")]


def _kubeconfig(server: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": {"server": server}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": ""}}],
        "current-context": "a",
    }


def _slice() -> dict[str, Any]:
    attributes = {"kind": "gpu", "type": "nvidia-745", "vendor": "nvidia", "mode": "Mediated", "parent": "0000:65:00.4"}
    device = {"name": "a-0", "attributes": {key: {"string": value} for key, value in attributes.items()}}
    pool = {"name": "cli-n1-card", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "libvf.io", "nodeName": "cli-n1", "pool": pool, "devices": [device]}
    return {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": "cli-n1"}, "spec": spec}


def _partition(name: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "default"}
    return {
        "apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition", "metadata": meta, "spec": {"type": "nvidia-746"},
    }  # fmt: skip


def _pod(name: str) -> dict[str, Any]:
    """One that the real scheduler finds no node for: the lab's API server has none."""
    container = {"name": "launcher", "image": "example/launcher:1"}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


def _status(api: Any, kind: str, name: str, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    api.done("patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)
