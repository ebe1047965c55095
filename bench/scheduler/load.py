"""Claims and Pods that wait for the scheduler, and when each was placed."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from libvf_api.apiserver import ApiServer
from libvf_api.names import API_VERSION, GPU_CLASS
from libvf_operator import neighbours
from libvf_operator.claim import for_partition

from lab.progress import Wait

Json = dict[str, Any]

PODS = "/api/v1/namespaces/default/pods"
CLAIMS = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
NODES = "/api/v1/nodes"
MANAGER = "bench"
_AT_ONCE = 8
_SIZES = ("1Gi", "2Gi", "1Gi", "4Gi")  # small ones are asked for more often
_WATCH_SECONDS = 3000


def sliced(number: int) -> Json:
    """The claim that the operator makes of a GpuPartition."""
    meta = {"name": _name(number), "namespace": "default", "uid": "none"}
    spec = {"vram": _vram(number)}
    claim = for_partition({"apiVersion": API_VERSION, "kind": "GpuPartition", "metadata": meta, "spec": spec})
    # no partition stands behind it, and what has an owner that is not there is collected
    return {**claim, "metadata": {"name": _name(number), "namespace": "default"}}


def whole(number: int) -> Json:
    """A claim on one device of the class, as for any card that is handed out whole."""
    request = {"name": "gpu", "exactly": {"deviceClassName": GPU_CLASS, "allocationMode": "ExactCount", "count": 1}}
    meta = {"name": _name(number), "namespace": "default"}
    claim = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": meta}
    return {**claim, "spec": {"devices": {"requests": [request]}}}


def machine(number: int) -> Json:
    """The Pod of a VM with that claim, which would rather be beside those that ask for the same; nobody runs it."""
    alike = [{"name": "gpu0", "vram": _vram(number)}]
    plain = pod(number)
    meta = {**plain["metadata"], "labels": neighbours.labels(alike)}
    return {**plain, "metadata": meta, "spec": {**plain["spec"], "affinity": neighbours.affinity(alike)}}


def pod(number: int) -> Json:
    """Any Pod with that claim, which nobody runs."""
    container = {"name": "guest", "image": "none", "resources": {"claims": [{"name": "gpu"}]}}
    spec = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "resourceClaims": [{"name": "gpu", "resourceClaimName": _name(number)}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": _name(number)}, "spec": spec}


async def create(server: ApiServer, things: Iterable[tuple[str, Json]]) -> None:
    """Make these in the collections at their paths, some at once."""
    queue = iter(things)

    async def work() -> None:
        for path, thing in queue:
            await server.create(path, thing, MANAGER)

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


async def placed(server: ApiServer, count: int, seconds: float, began: Callable[[], None]) -> list[float]:
    """When each Pod got its node, until so many have one or the time since the first of them is up.

    `began` is called at the first of them.
    """
    moments: dict[str, float] = {}
    wait = Wait("the scheduler's first placement", 300)
    try:
        async with asyncio.timeout(wait.seconds) as limit:
            async for event in server.watch(PODS, {}, _WATCH_SECONDS):
                thing = event["object"]
                if thing["spec"].get("nodeName") and thing["metadata"]["name"] not in moments:
                    moments[thing["metadata"]["name"]] = time.monotonic()
                    if len(moments) == 1:
                        began()
                        limit.reschedule(asyncio.get_running_loop().time() + seconds)
                if len(moments) == count:
                    break
    except TimeoutError:
        if len(moments) < 2:
            raise
    return sorted(moments.values())


async def follow_claims(server: ApiServer, allocated: Callable[[str, str], None]) -> None:
    """Tell pool and device of each allocation, once, until this is cancelled."""
    seen: set[str] = set()
    async for event in server.watch(CLAIMS, {}, _WATCH_SECONDS):
        claim = event["object"]
        allocation = (claim.get("status") or {}).get("allocation")
        if allocation and claim["metadata"]["uid"] not in seen:
            seen.add(claim["metadata"]["uid"])
            for result in allocation["devices"]["results"]:
                allocated(result["pool"], result["device"])


def rate(moments: list[float]) -> float:
    """Placements a second, between the first and the last."""
    return (len(moments) - 1) / (moments[-1] - moments[0])


def _vram(number: int) -> Json:
    size = _SIZES[number % len(_SIZES)]
    return {"min": size, "max": size}


def _name(number: int) -> str:
    return f"p{number:05}"
