"""The whole program as it is started in its Pod, with an API server of a few lines on the loopback."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from libvf_agent import tap, vsock
from libvf_agent.cluster import Cluster
from libvf_agent.errors import ClaimError, ClusterError

from tests.ports import free_port

Json = dict[str, Any]


class Server:
    """Keeps slices as documents, answers watches, and records what was asked."""

    def __init__(self) -> None:
        self.slices: dict[str, Json] = {}
        self.applied: list[tuple[str, str, Json]] = []
        self.wiped = asyncio.Event()
        self.published = asyncio.Event()
        self.told = asyncio.Event()
        self.tokens: set[str] = set()
        self.policies: list[Json] | None = None
        self.news: asyncio.Queue[Json] = asyncio.Queue()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.tokens.add(request.headers.get("Authorization", ""))
        name = request.path.rpartition("/")[2]
        if request.method == "PATCH":
            self.applied.append((request.path, request.content_type, await request.json()))
            return self._applied(request, name)
        if request.path.startswith("/api/v1/nodes/"):
            return web.json_response({"metadata": {"name": name, "uid": "node-uid"}})
        if name == "gpupolicies":
            return await self._policies(request)
        if request.query.get("watch"):
            return await self._watch(request)
        if name == "resourceslices":
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": [*self.slices.values()]})
        return web.json_response({"message": f"{name} not found"}, status=404)

    def _applied(self, request: web.Request, name: str) -> web.Response:
        if request.path == "/api/v1/nodes/n1/status":
            self.told.set()
            return web.json_response(self.applied[-1][2])
        if name == "status":
            return web.json_response({"message": "must be an allocated device"}, status=422)
        self.slices[name] = self.applied[-1][2]
        self.published.set()
        return web.json_response(self.slices[name])

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        await self.wiped.wait()
        await stream.write(json.dumps({"type": "DELETED", "object": {}}).encode() + b"\n")
        return stream

    async def _policies(self, request: web.Request) -> web.StreamResponse:
        if self.policies is None:
            return web.json_response({"message": "the server could not find the requested resource"}, status=404)
        if not request.query.get("watch"):
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": self.policies})
        stream = web.StreamResponse()
        await stream.prepare(request)
        while True:
            await stream.write(json.dumps(await self.news.get()).encode() + b"\n")

    def rule(self, document: Json) -> None:
        """A policy is made."""
        self.policies = [*(self.policies or []), document]
        self.published.clear()
        self.news.put_nowait({"type": "ADDED", "object": document})

    def wipe(self) -> None:
        self.slices.clear()
        self.published.clear()
        self.wiped.set()


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    server = Server()
    runner = web.AppRunner(app := web.Application(), shutdown_timeout=0.1)
    app.router.add_route("*", "/{path:.*}", server.answer)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = "http://{}:{}".format(*runner.addresses[0][:2])
    settings = {
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": "secret-word"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(settings))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    yield server
    await runner.cleanup()


@dataclass(frozen=True, slots=True)
class Agent:
    """A real agent, and the port that it answers on."""

    process: asyncio.subprocess.Process
    port: int

    async def asked(self, path: str) -> tuple[str, str]:
        """The status line and the body at a path."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        return head.split("\r\n")[0], body

    async def ended(self) -> list[dict[str, Any]]:
        """Told to stop; what it has logged."""
        self.process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.wait_for(self.process.communicate(), 15)
        return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
async def start(server: Server, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[Agent]]]:
    """Starts an agent, which ends with its test whatever becomes of that."""
    started: list[Agent] = []

    async def begin() -> Agent:
        port = free_port()
        argv = (sys.executable, "-m", "libvf_agent")
        environment = settings_of(tmp_path, port)
        process = await asyncio.create_subprocess_exec(*argv, env=environment, stdout=asyncio.subprocess.PIPE)
        started.append(Agent(process, port))
        await asyncio.wait_for(server.published.wait(), 20)
        return started[-1]

    yield begin
    for agent in started:
        if agent.process.returncode is None:
            agent.process.kill()
            await agent.process.wait()


@pytest.fixture
async def cluster(server: Server) -> AsyncIterator[Cluster]:
    cluster = await Cluster.connect()
    yield cluster
    await cluster.close()


async def test_requests_carry_the_token_and_apply_is_server_side(server: Server, cluster: Cluster) -> None:
    await cluster.put_slice({"metadata": {"name": "s"}})
    assert [item["metadata"]["name"] for item in await cluster.slices("n1")] == ["s"]
    assert server.applied[0][1] == "application/apply-patch+yaml"
    assert {token.lower() for token in server.tokens} == {"bearer secret-word"}


async def test_a_missing_claim_is_none_and_a_stale_status_a_claim_error(server: Server, cluster: Cluster) -> None:
    assert await cluster.claim("ns", "gone") is None
    with pytest.raises(ClaimError, match="must be an allocated device"):
        await cluster.apply_claim_status({"metadata": {"namespace": "ns", "name": "c"}})


async def test_an_api_server_that_is_not_there_may_be_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    settings = json.loads((tmp_path / "kubeconfig").read_text())
    settings["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(json.dumps(settings))
    cluster = await Cluster.connect()
    with pytest.raises(ClusterError) as failed:
        await cluster.slices("n1")
    await cluster.close()
    assert failed.value.retry


async def test_the_agent_publishes_survives_a_wipe_and_ends_cleanly(
    server: Server, start: Callable[[], Awaitable[Agent]], tmp_path: Path
) -> None:
    agent = await start()
    assert "n1-kvm-libvf-0" in server.slices
    server.wipe()
    await asyncio.wait_for(server.published.wait(), 20)
    assert await agent.asked("/healthz") == ("HTTP/1.1 200 OK", "ok\n")
    await asyncio.wait_for(server.told.wait(), 20)
    [said] = [body for path, _, body in server.applied if path == "/api/v1/nodes/n1/status"]
    [condition] = said["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("LibvfReady", "False", "Readable")
    _, metrics = await agent.asked("/metrics")
    offered = 3 + (tap.facts() is not None) + vsock.Vhost().offered()  # as the machine has that runs this
    assert f"\nlibvf_devices_offered {offered}\n" in metrics
    assert '\nlibvf_doctor_findings{severity="error"} 1\n' in metrics
    assert (await agent.asked("/etc/passwd"))[0] == "HTTP/1.1 404 Not Found"
    assert (tmp_path / "state/bin/libvf-hook").stat().st_mode & 0o777 == 0o755
    messages = [line["message"] for line in await agent.ended()]
    assert agent.process.returncode == 0
    assert "stopped" in messages
    assert messages.count("this cluster has no GpuPolicies: the careful rules hold") == 1
    assert not (tmp_path / "kubelet/plugins_registry/libvf.io-reg.sock").exists()


async def test_a_new_policy_is_read_at_once_and_told_of(server: Server, start: Callable[[], Awaitable[Agent]]) -> None:
    server.policies = []
    agent = await start()
    meta = {"name": "p", "uid": "u", "generation": 3, "creationTimestamp": "2026-11-24T10:00:00Z"}
    server.rule({"metadata": meta, "spec": {"newer": True}})
    while not reported(server):  # each slice that is written wakes us
        server.published.clear()
        await asyncio.wait_for(server.published.wait(), 20)
    assert reported(server) == [{"name": "p", "uid": "u", "generation": 3}]
    said = {line["message"]: line for line in await agent.ended()}
    assert said["policy not understood"]["error"] == "spec.newer is not known to this agent: update it"


def reported(server: Server) -> list[Json]:
    """What the agent's slice of kvm says of policies."""
    carrier = server.slices["n1-kvm-libvf-0"]
    return list(json.loads(carrier["metadata"].get("annotations", {}).get("libvf.io/policies", "[]")))


def settings_of(folder: Path, port: int) -> dict[str, str]:
    """The environment of an agent on a host without cards."""
    boot = folder / "root/proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("a boot\n")
    (folder / "libvf-hook").write_bytes(b"a binary")
    names = {"LIBVF_STATE": "state", "LIBVF_SYSFS_ROOT": "root", "KUBELET_DIR": "kubelet", "CDI_DIR": "cdi"}
    names |= {"LIBVF_METADATA_DIR": "metadata", "LIBVF_HOOK": "libvf-hook"}
    places = {name: str(folder / value) for name, value in names.items()}
    return {**os.environ, **places, "NODE_NAME": "n1", "LIBVF_HEALTH_PORT": str(port)}
