"""What is served: discovery, the subresources of VMs, the web console, and a sign of life."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from libvf_api import names
from libvf_api.apiserver import HEARTBEAT, ApiError
from libvf_api.running import NotRunning, Object

from libvf_gateway import execution, page, subresources
from libvf_gateway.cluster import Cluster
from libvf_gateway.frontproxy import FrontProxy, User
from libvf_gateway.refusal import Refusal, status
from libvf_gateway.sessions import Sessions, log
from libvf_gateway.subresources import BASE, Subresource

_PICTURE_BYTES = 64 << 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_METHODS = {"get": "GET", "update": "PUT"}
# names as Kubernetes has them; so nothing that decodes to a slash or a dot can mean another path than it looks like
_LABEL, _NAME = "[a-z0-9]([-a-z0-9]*[a-z0-9])?", "[a-z0-9]([-.a-z0-9]*[a-z0-9])?"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """The routes; `front_proxy` is whom to believe, set before anything is served."""

    front_proxy: FrontProxy

    def __init__(self, cluster: Cluster, novnc: Path, origins: tuple[str, ...] = ()) -> None:
        self._cluster = cluster
        self._novnc = novnc
        self._origins = origins
        self.sessions = Sessions()

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(middlewares=[_answered])
        app.router.add_get("/healthz", _alive)
        documents = {
            BASE: subresources.resources(),
            BASE.rpartition("/")[0]: subresources.group(),
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [subresources.group()]},
            # both are asked for again and again: without the older one the API server complains in its log
            "/openapi/v2": subresources.openapi2(),
            "/openapi/v3": {"paths": {BASE[1:]: {"serverRelativeURL": f"/openapi/v3{BASE}"}}},
            f"/openapi/v3{BASE}": subresources.openapi(),
        }
        for path, document in documents.items():
            app.router.add_get(path, self._known(_document(document)))
        app.router.add_get(f"{BASE}/console{{path:(/.*)?}}", self._known(self._page))
        machine = f"{BASE}/namespaces/{{namespace:{_LABEL}}}/{names.MACHINES}/{{name:{_NAME}}}"
        for each in subresources.ALL.values():
            app.router.add_route(_METHODS[each.verb], f"{machine}/{each.name}", self._carried_out(each))
        app.on_shutdown.append(self._ending)
        return app

    async def _ending(self, app: web.Application) -> None:
        await self.sessions.end()

    def _who(self, request: web.Request) -> User:
        secured = request.transport and request.transport.get_extra_info("ssl_object")
        certificate: Mapping[str, Any] | None = secured.getpeercert() if secured else None
        return self.front_proxy.who(certificate, request.headers.items())

    def _known(self, handler: Handler) -> Handler:
        """For whoever the API server lets through: nothing here is of one user more than of another."""

        async def handle(request: web.Request) -> web.StreamResponse:
            self._who(request)
            return await handler(request)

        return handle

    async def _page(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if not path:  # its own addresses are relative, and the API server passes no redirection on
            raise Refusal(404, f"the console is at {BASE}/console/, with the slash")
        return page.file(self._novnc, path[1:])

    def _carried_out(self, each: Subresource) -> Handler:
        carry_out = self._stream if each.stream else self._run if each.command else self._change

        async def handle(request: web.Request) -> web.StreamResponse:
            user = self._who(request)
            namespace, name = request.match_info["namespace"], request.match_info["name"]
            await self._cluster.authorize(user, each, namespace, name)
            if each.stream:
                self._same_origin(request)
            return await carry_out(request, each, user, await self._cluster.machine(namespace, name))

        return handle

    async def _stream(self, request: web.Request, each: Subresource, user: User, machine: Object) -> web.StreamResponse:
        viewer = web.WebSocketResponse(protocols=("binary",), heartbeat=HEARTBEAT, compress=False)
        if not viewer.can_prepare(request):
            raise Refusal(400, f"{each.name} is a WebSocket: open it as one, with the subprotocol binary or none")
        meta = machine["metadata"]
        with self.sessions.one(meta["namespace"], meta["name"], user.name, each.name):
            inside = await self._cluster.execute(await self._running(machine), each.command)
            try:
                await viewer.prepare(request)
                await self.sessions.relay(viewer, inside)
            finally:
                await inside.close()
        return viewer

    async def _run(self, request: web.Request, each: Subresource, user: User, machine: Object) -> web.StreamResponse:
        meta = machine["metadata"]
        with self.sessions.one(meta["namespace"], meta["name"], user.name, each.name):
            inside = await self._cluster.execute(await self._running(machine), each.command)
            try:
                output = await execution.run(inside, _PICTURE_BYTES)
            except ValueError as error:
                raise Refusal(500, f"{each.name} of {meta['name']}: {error}") from error
        if each.verb == "get":
            return web.Response(body=output, content_type="image/png", headers={"Cache-Control": "no-store"})
        return web.json_response(status(200, "", f"{meta['name']}: {each.name} is done"))

    async def _change(self, request: web.Request, each: Subresource, user: User, machine: Object) -> web.StreamResponse:
        assert each.change is not None
        try:
            change = each.change(machine, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        except NotRunning as error:
            raise Refusal(409, str(error)) from error
        if change.patch:
            await self._cluster.change(machine, change.patch)
        log.info("%s: %s", user.name, change.told)
        return web.json_response(status(200, "", change.told))

    async def _running(self, machine: Object) -> Object:
        """The VM's own Pod, whose launcher runs; Refusal 409 where it does not."""
        name, pod = machine["metadata"]["name"], await self._cluster.pod(machine)
        owners = [owner["uid"] for owner in (pod or {}).get("metadata", {}).get("ownerReferences", [])]
        if pod is None or machine["metadata"]["uid"] not in owners:
            raise Refusal(409, f"{name} does not run: start it, or see kubectl describe vfvm {name}")
        launchers = (pod.get("status") or {}).get("containerStatuses") or []
        if not any("running" in (launcher.get("state") or {}) for launcher in launchers):
            raise Refusal(409, f"{name} is not up yet, or has ended: kubectl get vfvm {name} says more")
        return pod

    def _same_origin(self, request: web.Request) -> None:
        """A page of another site may open a WebSocket to a `kubectl proxy` on this machine: browsers do not forbid it.

        Programs send no Origin; the console's own page comes from a proxy on the loopback, or from where it is
        published (LIBVF_ORIGINS).
        """
        origin = request.headers.get("Origin")
        if origin is None or origin in self._origins or urlsplit(origin).hostname in _LOOPBACK:
            return
        raise Refusal(403, f"a page of {origin} may not look at machines: name it in LIBVF_ORIGINS if it is yours")


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals in the API server's form, and what it says itself with its own code."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.document, status=refusal.status)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as missing:
        words = f"there is no {request.method} {request.path}"
        return web.json_response(Refusal(missing.status, words).document, status=missing.status)
    except ApiError as error:
        log.warning("%s %s: %s", request.method, request.path, error)
        failed = Refusal(502, f"the gateway could not carry it out: {error}")
        return web.json_response(failed.document, status=failed.status)


async def _alive(request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


def _document(document: Object) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(document)

    return answer
