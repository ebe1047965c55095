"""A loopback server with the page's files and a cluster's objects, as the API server answers them.

The objects are made by the agent's and the operator's own code, from cards of the fake kernel.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from libvf_agent.backends.mediated import Mediated
from libvf_agent.offers import offers_of
from libvf_agent.rules import careful
from libvf_agent.slices import Node, pool_name, pool_of_gpu
from libvf_agent.sysfs import Sysfs
from libvf_gateway import page
from libvf_gateway.refusal import Refusal
from libvf_gateway.subresources import BASE

from tests.fakekernel.mdev import Card, MediatedHost

Json = dict[str, Any]

MACHINES = "/apis/libvf.io/v1alpha1/virtualmachines"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
CLAIMS = "/apis/resource.k8s.io/v1/resourceclaims"


def offered(node: str, card: Card) -> list[Json]:
    """The ResourceSlices of a host with this card."""
    [gpu] = Mediated().discover(Sysfs(MediatedHost(card)), careful)
    return [{"spec": spec} for spec in pool_of_gpu(Node(node, "uid"), offers_of(gpu, {}))]


def held(node: str, card: str, device: str, name: str, namespace: str = "default") -> Json:
    """A ResourceClaim on one of its devices, that a Pod of a machine uses."""
    result = {"request": "gpu/any", "driver": "libvf.io", "pool": pool_name(node, card), "device": device}
    status = {"allocation": {"devices": {"results": [result]}}, "reservedFor": [{"resource": "pods", "name": name}]}
    return {"metadata": {"name": f"{name}-gpu0", "namespace": namespace}, "status": status}


def machine(name: str, ready: str, reason: str, message: str, **fields: Any) -> Json:
    """A VirtualMachine with these words in its status."""
    told = {"status": ready, "reason": reason, "message": message}
    stalled = "True" if fields.pop("stalled", False) else "False"
    conditions = [{"type": "Ready", **told}, {"type": "Stalled", "status": stalled, "reason": reason, "message": ""}]
    return {
        "metadata": {"name": name, "namespace": fields.pop("namespace", "default")},
        "spec": {"runStrategy": fields.pop("strategy", "Always")},
        "status": {"conditions": conditions, **fields},
    }


class Cluster:
    """`lists` is what is answered by path: objects, or the words of a refusal; `asked` what was put."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Json] | str] = {MACHINES: [], SLICES: [], CLAIMS: []}
        self.asked: list[str] = []

    @contextmanager
    def served(self, novnc: Path = Path("/nowhere")) -> Iterator[str]:
        """Yields the address of the page."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        runner = asyncio.run_coroutine_threadsafe(self._start(novnc), loop).result(10)
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{BASE}/console/"
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    async def _start(self, novnc: Path) -> web.AppRunner:
        async def files(request: web.Request) -> web.StreamResponse:
            try:
                return page.file(novnc, request.match_info["path"])
            except Refusal as refusal:
                return web.json_response(refusal.document, status=refusal.status)

        async def lists(request: web.Request) -> web.StreamResponse:
            found = self.lists.get(request.path)
            if isinstance(found, list):
                return web.json_response({"items": found})
            return web.json_response(Refusal(403, found or request.path).document, status=403)

        async def put(request: web.Request) -> web.StreamResponse:
            self.asked.append(request.path.removeprefix(BASE))
            return web.json_response({"message": "it is done"})

        app = web.Application()
        app.router.add_get(f"{BASE}/console/{{path:.*}}", files)
        app.router.add_get("/{path:.*}", lists)
        app.router.add_put("/{path:.*}", put)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner
