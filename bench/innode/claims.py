"""A claim that is allocated by hand, so that nobody but the bench asks for it."""

from typing import Any

from libvf_api.apiserver import ApiServer
from libvf_api.names import DRIVER, GPU_CLASS

from bench.innode.machines import MANAGER

Json = dict[str, Any]

NAME = "bench-prepare"
_CLAIMS = "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims"
_SLICES = "/apis/resource.k8s.io/v1/resourceslices"


async def allocated(server: ApiServer, kind: str, node: str) -> str:
    """The UID of a claim on a device of that type, on a node that offers it and for no Pod."""
    await server.delete(f"{_CLAIMS}/{NAME}")
    claim = await server.create(_CLAIMS, _claim(), MANAGER)
    status = allocation(await _device(server, kind), node)
    await server.merge(f"{_CLAIMS}/{NAME}/status", {"status": status}, MANAGER)
    return str(claim["metadata"]["uid"])


def allocation(device: tuple[str, str], node: str) -> Json:
    """What the scheduler would have said."""
    result = {"request": "gpu", "driver": DRIVER, "pool": device[0], "device": device[1]}
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    selector = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"allocation": {"devices": {"results": [result]}, "nodeSelector": selector}}


async def _device(server: ApiServer, kind: str) -> tuple[str, str]:
    """Pool and name of the first device of the type that is offered."""
    listed = await server.get(_SLICES)
    return next(
        (piece["spec"]["pool"]["name"], device["name"])
        for piece in listed["items"]
        for device in piece["spec"].get("devices") or ()
        if device["attributes"].get("type", {}).get("string") == kind
    )


def _claim() -> Json:
    request = {"name": "gpu", "exactly": {"deviceClassName": GPU_CLASS, "allocationMode": "ExactCount", "count": 1}}
    head = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim"}
    return {**head, "metadata": {"name": NAME, "namespace": "default"}, "spec": {"devices": {"requests": [request]}}}
