"""The only door to the API server: claims, their status, and this node's own ResourceSlices.

Plain documents in and out, over the HTTP client and the configuration of kubernetes.aio. Nothing is watched
but the slices of this node.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from typing import Any, Protocol, cast
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client, config
from libvf_api.names import AGENT_MANAGER, DRIVER

from libvf_agent.errors import ClaimError, ClusterError

Json = dict[str, Any]
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
CLAIMS = "/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims/{name}"
WATCH_SECONDS = 240


class Door(Protocol):
    """What the agent needs of a cluster."""

    async def claim(self, namespace: str, name: str) -> Json | None: ...
    async def apply_claim_status(self, body: Json) -> None: ...
    async def node_uid(self, node: str) -> str: ...
    async def slices(self, node: str) -> list[Json]: ...
    async def put_slice(self, body: Json) -> None: ...
    async def delete_slice(self, name: str) -> None: ...
    def slice_events(self, node: str) -> AsyncIterator[Json]: ...


class Cluster:
    """The real API server."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._host: str = api.configuration.host.rstrip("/")

    @classmethod
    async def connect(cls) -> Cluster:
        """By KUBECONFIG where it is set, else by the Pod's own service account."""
        settings = client.Configuration()
        if file := os.environ.get("KUBECONFIG"):
            await config.load_kube_config(file, client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        return cls(client.ApiClient(settings))

    async def close(self) -> None:
        """Gives the connections back."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def claim(self, namespace: str, name: str) -> Json | None:
        """The claim, None where there is none."""
        try:
            return await self._json("GET", CLAIMS.format(namespace=namespace, name=name))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    async def apply_claim_status(self, body: Json) -> None:
        """Server-side apply of `status.devices`; ClaimError where the allocation is not that any more."""
        path = CLAIMS.format(**{key: body["metadata"][key] for key in ("namespace", "name")}) + "/status"
        try:
            await self._json("PATCH", path, body, {"fieldManager": AGENT_MANAGER, "force": "true"})
        except ClusterError as error:
            if error.status in (404, 409, 422):
                raise ClaimError(f"the claim changed while it was prepared: {error}") from error
            raise

    async def node_uid(self, node: str) -> str:
        """The uid of the Node, which owns the slices."""
        return cast(str, (await self._json("GET", f"/api/v1/nodes/{node}"))["metadata"]["uid"])

    async def slices(self, node: str) -> list[Json]:
        """The slices of this driver on this node."""
        return cast(list[Json], (await self._json("GET", SLICES, query=_ours(node))).get("items") or [])

    async def put_slice(self, body: Json) -> None:
        """Makes or replaces a slice of ours."""
        path = f"{SLICES}/{body['metadata']['name']}"
        await self._json("PATCH", path, body, {"fieldManager": AGENT_MANAGER, "force": "true"})

    async def delete_slice(self, name: str) -> None:
        """Removes a slice; it may be gone already."""
        try:
            await self._json("DELETE", f"{SLICES}/{name}")
        except ClusterError as error:
            if error.status != 404:
                raise

    async def slice_events(self, node: str) -> AsyncIterator[Json]:
        """What happens to our slices from now on, until the server ends the watch after some minutes."""
        version = (await self._json("GET", SLICES, query=_ours(node)))["metadata"]["resourceVersion"]
        query = {
            **_ours(node),
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        answer = await self._send("GET", SLICES, None, query, WATCH_SECONDS + 30)
        async with answer:
            async for line in answer.content:
                yield json.loads(line)

    async def _json(self, method: str, path: str, body: Json | None = None, query: Json | None = None) -> Json:
        answer = await self._send(method, path, body, query or {}, 15)
        async with answer:
            return cast(Json, await answer.json())

    async def _send(
        self, method: str, path: str, body: Json | None, query: Json, seconds: float
    ) -> aiohttp.ClientResponse:
        """One request; ClusterError with the server's own words where it is refused."""
        headers = {"Accept": "application/json"}
        if method == "PATCH":
            headers["Content-Type"] = "application/apply-patch+yaml"
        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        try:
            answer = await self._session().request(
                method,
                url,
                headers=headers,
                data=json.dumps(body) if body is not None else None,
                timeout=aiohttp.ClientTimeout(total=seconds),
            )
            if answer.status < 300:
                return answer
            raise ClusterError(f"{method} {path}: {_words(await answer.text())}", answer.status)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ClusterError(f"{method} {path}: no answer from {self._host}: {error!r}") from error

    def _session(self) -> aiohttp.ClientSession:
        rest = self._api.rest_client
        if rest.pool_manager is None:
            rest.pool_manager = rest._create_pool_manager()
        return rest.pool_manager


def _ours(node: str) -> Json:
    return {"fieldSelector": f"spec.driver={DRIVER},spec.nodeName={node}"}


def _words(text: str) -> str:
    """The message of a Status object, or the bare text."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]
