"""Asking the real scheduler: claims and Pods, and what became of them. One client and two watches for all traces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from libvf_agent.claims import ClaimRef
from libvf_api.apiserver import ApiError, ApiServer
from libvf_operator import neighbours
from libvf_operator.claim import CLAIM_API

from bench.packing import ask
from bench.packing.ask import Order
from bench.packing.host import MANAGER
from bench.packing.traces import Request

Json = dict[str, Any]
Found = TypeVar("Found")

PODS = "/api/v1/namespaces/default/pods"
CLAIMS = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
_LABEL = "bench.libvf.io"
_SECONDS = 120.0
_UNHEARD = 5.0


class Scheduler:
    """What is asked of it in this run."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self._seen: dict[str, Json | None] = {}
        self._changed: dict[str, asyncio.Event] = {}

    @classmethod
    @asynccontextmanager
    async def watched(cls, server: ApiServer) -> AsyncIterator[Scheduler]:
        """A scheduler whose answers are heard while this is open."""
        scheduler = cls(server)
        watches = [asyncio.create_task(scheduler._listen(path)) for path in (PODS, CLAIMS)]
        try:
            yield scheduler
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def claim(self, name: str, one: Request, order: Order) -> ClaimRef:
        """The claim of a request."""
        meta = {"name": name, "namespace": "default", "labels": {_LABEL: "claim"}}
        body = {
            "apiVersion": CLAIM_API,
            "kind": "ResourceClaim",
            "metadata": meta,
            "spec": {"devices": order.devices(one)},
        }
        made = await self.server.create(CLAIMS, body, MANAGER)
        return ClaimRef("default", name, made["metadata"]["uid"])

    async def pod(self, ref: ClaimRef, one: Request, order: Order, nodes: Sequence[str]) -> None:
        """Its Pod, which may go to these nodes; the answer is for `placed`."""
        await self.server.create(PODS, _pod(ref.name, one, order, nodes), MANAGER)

    async def placed(self, ref: ClaimRef) -> tuple[str, str] | None:
        """The pool and the device that it was given; None where it was refused."""
        if not await self._until(PODS, ref.name, _said):
            return None
        return await self._until(CLAIMS, ref.name, _result)

    async def withdraw(self, ref: ClaimRef) -> None:
        """The Pod is gone when this returns; its claim stays."""
        await self._gone(PODS, ref.name)

    async def forget(self, ref: ClaimRef) -> None:
        """The Pod and its claim are gone when this returns."""
        await self._gone(PODS, ref.name)
        await self._gone(CLAIMS, ref.name)

    async def _gone(self, path: str, name: str) -> None:
        await self.server.delete(f"{path}/{name}")
        await self._until(path, name, lambda seen: True if seen is None else None)
        self._seen.pop(f"{path}/{name}", None)
        self._changed.pop(f"{path}/{name}", None)

    async def _until(self, path: str, name: str, look: Callable[[Json | None], Found | None]) -> Found:
        """What `look` finds in the object, which is None when it is gone; looked at again at each event of it."""
        key = f"{path}/{name}"
        changed = self._changed.setdefault(key, asyncio.Event())
        async with asyncio.timeout(_SECONDS):
            while (found := look(self._seen.get(key, {}))) is None:
                changed.clear()
                try:
                    await asyncio.wait_for(changed.wait(), _UNHEARD)
                except TimeoutError:
                    self._seen[key] = await self._read(key)
        return found

    async def _read(self, key: str) -> Json | None:
        """Without an event: it may have come before the watch began."""
        try:
            return await self.server.get(key)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    async def _listen(self, path: str) -> None:
        while True:
            try:
                async for event in self.server.watch(path, {"labelSelector": _LABEL}, 3600):
                    key = f"{path}/{event['object']['metadata']['name']}"
                    self._seen[key] = None if event["type"] == "DELETED" else event["object"]
                    if changed := self._changed.get(key):
                        changed.set()
            except ApiError:
                await asyncio.sleep(1)


def _said(pod: Json | None) -> bool | None:
    """Whether it was placed; None while that is open."""
    if pod and pod.get("spec", {}).get("nodeName"):
        return True
    for condition in (pod or {}).get("status", {}).get("conditions") or []:
        if (condition["type"], condition.get("reason")) == ("PodScheduled", "Unschedulable"):
            # any other word is of something that passes, such as a claim that the scheduler has not heard of yet
            return False if "cannot allocate all claims" in condition.get("message", "") else None
    return None


def _result(claim: Json | None) -> tuple[str, str] | None:
    allocation = ((claim or {}).get("status") or {}).get("allocation") or {}
    return next(((each["pool"], each["device"]) for each in (allocation.get("devices") or {}).get("results", [])), None)


def _pod(name: str, one: Request, order: Order, nodes: Sequence[str]) -> Json:
    """As the operator's, but for what needs a kubelet; a grace of 0 seconds, as none ends it."""
    alike = ask.gpus(one) if order.alike else []
    fields = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]} for node in nodes]
    here = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": fields}}
    container = {
        "name": "guest",
        "image": "none",
        "resources": {"requests": ask.resources(one), "claims": [{"name": "gpu"}]},
    }
    spec = {
        "affinity": {"nodeAffinity": here, **neighbours.affinity(alike)},
        "automountServiceAccountToken": False,
        "containers": [container],
        "resourceClaims": [{"name": "gpu", "resourceClaimName": name}],
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
    }
    labels = {_LABEL: "pod", **neighbours.labels(alike)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
