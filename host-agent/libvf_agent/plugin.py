"""The kubelet plugin: three gRPC services on two unix sockets, each method parse, call, answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from libvf_api.names import DRIVER

from libvf_agent import cdi
from libvf_agent.claims import ClaimRef
from libvf_agent.driver import Driver
from libvf_agent.errors import AgentError
from libvf_agent.health import Verdict, verdicts
from libvf_agent.journal import Entry
from libvf_agent.wire import dra_pb2 as dra
from libvf_agent.wire import dra_pb2_grpc, health_pb2_grpc, registration_pb2_grpc
from libvf_agent.wire import health_pb2 as health
from libvf_agent.wire import registration_pb2 as registration

VERSIONS = ("v1.DRAPlugin", "v1.DRAResourceHealth")
HEALTH_SECONDS = 20

Context = grpc.aio.ServicerContext[object, object]


class Plugin(dra_pb2_grpc.DRAPluginServicer):
    """NodePrepareResources and NodeUnprepareResources: every claim gets an answer of its own."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def NodePrepareResources(
        self, request: dra.NodePrepareResourcesRequest, context: Context
    ) -> dra.NodePrepareResourcesResponse:
        """Prepares all claims of a Pod at once."""
        answers = await asyncio.gather(*(self._prepare(claim) for claim in request.claims))
        return dra.NodePrepareResourcesResponse(
            claims={claim.uid: answer for claim, answer in zip(request.claims, answers, strict=True)}
        )

    async def NodeUnprepareResources(
        self, request: dra.NodeUnprepareResourcesRequest, context: Context
    ) -> dra.NodeUnprepareResourcesResponse:
        """Gives all claims of a Pod back."""
        answers = await asyncio.gather(*(self._unprepare(claim) for claim in request.claims))
        return dra.NodeUnprepareResourcesResponse(
            claims={claim.uid: answer for claim, answer in zip(request.claims, answers, strict=True)}
        )

    async def _prepare(self, claim: dra.Claim) -> dra.NodePrepareResourceResponse:
        try:
            entry = await self._driver.prepare(_ref(claim))
        except (AgentError, OSError) as error:
            return dra.NodePrepareResourceResponse(error=str(error))
        return dra.NodePrepareResourceResponse(devices=_devices(entry))

    async def _unprepare(self, claim: dra.Claim) -> dra.NodeUnprepareResourceResponse:
        try:
            await self._driver.unprepare(_ref(claim))
        except (AgentError, OSError) as error:
            return dra.NodeUnprepareResourceResponse(error=str(error))
        return dra.NodeUnprepareResourceResponse()


class Registration(registration_pb2_grpc.RegistrationServicer):
    """Tells kubelet who we are; `registered` is set by kubelet's answer, `refusal` by its error."""

    def __init__(self, endpoint: Path) -> None:
        self._endpoint = endpoint
        self.registered = asyncio.Event()
        self.refusal = ""

    async def GetInfo(self, request: registration.InfoRequest, context: Context) -> registration.PluginInfo:
        """Name, socket and what is served there."""
        return registration.PluginInfo(
            type="DRAPlugin", name=DRIVER, endpoint=str(self._endpoint), supported_versions=VERSIONS
        )

    async def NotifyRegistrationStatus(
        self, request: registration.RegistrationStatus, context: Context
    ) -> registration.RegistrationStatusResponse:
        """Kubelet's verdict on our registration."""
        self.refusal = request.error
        if request.plugin_registered:
            self.registered.set()
        return registration.RegistrationStatusResponse()


class Health(health_pb2_grpc.DRAResourceHealthServicer):
    """The devices in use and whether they are still there, again and again."""

    def __init__(self, driver: Driver, seconds: float = HEALTH_SECONDS) -> None:
        self._driver = driver
        self._seconds = seconds

    async def NodeWatchResources(
        self, request: health.NodeWatchResourcesRequest, context: Context
    ) -> AsyncIterator[health.NodeWatchResourcesResponse]:
        """A list at once, then one each time the kernel was asked again."""
        while True:
            found = await asyncio.to_thread(verdicts, self._driver.host)
            yield health.NodeWatchResourcesResponse(devices=[_health(v) for v in found])
            await asyncio.sleep(self._seconds)


class Sockets:
    """The two servers on their sockets below kubelet's folder."""

    def __init__(self, driver: Driver, kubelet: Path) -> None:
        self.endpoint = kubelet / "plugins" / DRIVER / "dra.sock"
        self.announcement = kubelet / "plugins_registry" / f"{DRIVER}-reg.sock"
        self.registration = Registration(self.endpoint)
        self._driver = driver
        self._servers: list[grpc.aio.Server] = []

    async def start(self) -> None:
        """Serves the plugin, then announces it: kubelet calls as soon as it sees the announcement."""
        plugin = grpc.aio.server()
        dra_pb2_grpc.add_DRAPluginServicer_to_server(Plugin(self._driver), plugin)  # type: ignore[no-untyped-call]
        add_health = health_pb2_grpc.add_DRAResourceHealthServicer_to_server
        add_health(Health(self._driver), plugin)  # type: ignore[no-untyped-call]
        await self._serve(plugin, self.endpoint)
        announcement = grpc.aio.server()
        add_registration = registration_pb2_grpc.add_RegistrationServicer_to_server
        add_registration(self.registration, announcement)  # type: ignore[no-untyped-call]
        await self._serve(announcement, self.announcement)

    async def stop(self) -> None:
        """Takes the announcement back first."""
        for server in reversed(self._servers):
            await server.stop(1)
        self._servers.clear()
        self.announcement.unlink(missing_ok=True)

    async def _serve(self, server: grpc.aio.Server, socket: Path) -> None:
        """Binds after removing what a killed agent left: a stale socket can not be bound again."""
        _clear(socket)
        server.add_insecure_port(f"unix://{socket}")
        await server.start()
        self._servers.append(server)


def _clear(socket: Path) -> None:
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)


def _ref(claim: dra.Claim) -> ClaimRef:
    return ClaimRef(claim.namespace, claim.name, claim.uid)


def _devices(entry: Entry) -> list[dra.Device]:
    """Kubelet knows requests by their main name, not by the subrequest that was chosen."""
    return [
        dra.Device(
            request_names=[piece.request.partition("/")[0]],
            pool_name=piece.pool,
            device_name=piece.device,
            cdi_device_ids=[cdi.device_id(entry, index)],
            share_id=piece.share,
        )
        for index, piece in enumerate(entry.slices)
    ]


def _health(verdict: Verdict) -> health.DeviceHealth:
    return health.DeviceHealth(
        device=health.DeviceIdentifier(pool_name=verdict.pool, device_name=verdict.device),
        health=health.HEALTHY if verdict.healthy else health.UNHEALTHY,
        last_updated_time=int(time.time()),
        health_check_timeout_seconds=3 * HEALTH_SECONDS,
        message=verdict.message,
    )
