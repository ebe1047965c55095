"""The operator's only door to Kubernetes: children, status by server-side apply, lists, Events."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec
from libvf_api import names
from libvf_api.apiserver import ApiError, ApiServer

from libvf_operator.listing import Page, page
from libvf_operator.objects import Object

PAGE = 200  # objects of a list at once: a megabyte, which is read in a blink and forgotten before the next one comes
_PLURALS = {
    "VirtualMachine": names.MACHINES,
    "GpuPartition": names.PARTITIONS,
    "GpuPolicy": names.POLICIES,
    "ResourceClaim": "resourceclaims",
    "Pod": "pods",
    "Service": "services",
    "PersistentVolumeClaim": "persistentvolumeclaims",
}


class Cluster:
    """The API server, with this operator's field manager; every method raises ApiError."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    @classmethod
    async def connect(cls) -> "Cluster":
        """With the credentials of KUBECONFIG or of the Pod."""
        return cls(await ApiServer.connect())

    async def close(self) -> None:
        """Give the connections back."""
        await self._server.close()

    async def create(self, thing: Object) -> Object:
        """Make a child; returns it, or what has its name already: who made that is for the caller to look at.

        Children are immutable. A server-side apply would not tell a stranger's object from ours, and adopt it.
        """
        collection, _, name = _path(thing).rpartition("/")
        try:
            return await self._server.create(collection, thing, names.OPERATOR_MANAGER)
        except ApiError as error:
            if error.status != 409:
                raise
            # a list of one, as nothing else here needs the right to get
            found = await self._server.get(collection, {"fieldSelector": f"metadata.name={name}"})
            if not found["items"]:
                raise  # it went meanwhile: the next try makes it
            return {"apiVersion": thing["apiVersion"], "kind": thing["kind"], **found["items"][0]}

    async def apply_status(self, thing: Object, status: Object) -> Object:
        """Server-side apply of the status; the uid keeps it from a namesake made anew."""
        meta = _reference(thing)
        body = {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "metadata": meta, "status": status}
        return await self._server.apply(f"{_path(thing)}/status", body, names.OPERATOR_MANAGER)

    async def change(self, part: Object) -> Object:
        """Merge this part into a child of ours; its uid keeps it from one that was made anew, by whomever."""
        return await self._server.merge(_path(part), part, names.OPERATOR_MANAGER)

    async def delete(self, thing: Object) -> None:
        """Delete exactly this object, by uid; it may be gone already."""
        await self._server.delete(_path(thing), thing["metadata"]["uid"])

    async def listed(self, path: str) -> tuple[list[Object], int]:
        """All items below an API path, and the resource version of the list."""
        answer = await self._server.get(path)
        return list(answer.get("items") or []), int(answer["metadata"]["resourceVersion"])

    async def pages(self, path: str) -> AsyncIterator[Page]:
        """The same page by page, all of one moment: what comes meanwhile is in none of them."""
        more = ""
        while True:
            query = urlencode({"limit": PAGE, **({"continue": more} if more else {})})
            text = await self._server.read(f"{path}{'&' if '?' in path else '?'}{query}")
            try:
                found = page(text)
            except msgspec.DecodeError as error:
                raise ApiError(f"GET {path}: the answer is no list: {error}") from error
            yield found
            if not (more := found.more):
                return

    async def event(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Record an Event; `kind` is Normal or Warning."""
        now = datetime.now(UTC)
        moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        meta, place = about["metadata"], _reference(about)
        namespace = place.get("namespace", "default")  # where Kubernetes keeps the Events of what has none
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{meta['name']}.{now.timestamp():.6f}", "namespace": namespace},
            "involvedObject": {"apiVersion": about["apiVersion"], "kind": about["kind"], **place},
            "type": kind,
            "reason": reason,
            "message": message[:1000],
            "source": {"component": names.OPERATOR_MANAGER},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        await self._server.create(f"/api/v1/namespaces/{namespace}/events", body, names.OPERATOR_MANAGER)


def _path(thing: Object) -> str:
    version = thing["apiVersion"]
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    meta = thing["metadata"]
    within = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return f"{base}{within}/{_PLURALS[thing['kind']]}/{meta['name']}"


def _reference(thing: Object) -> Object:
    """What names an object; those of the whole cluster have no namespace."""
    return {key: thing["metadata"][key] for key in ("name", "namespace", "uid") if key in thing["metadata"]}
