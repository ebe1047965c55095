"""The only door to Kubernetes: server-side apply, status, deletion by uid, lists, Events."""

import json
import os
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
from kubernetes.aio import client, config
from libvf_api import names

from libvf_operator.objects import Object

_SECONDS = 15
_PLURALS = {
    "VirtualMachine": names.MACHINES,
    "GpuPartition": names.PARTITIONS,
    "ResourceClaim": "resourceclaims",
    "Pod": "pods",
    "Event": "events",
}


class ClusterError(Exception):
    """The API server refused or did not answer; `status` is the HTTP code, 0 for none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """The API server, with this operator's field manager."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self._host: str = api.configuration.host.rstrip("/")

    @classmethod
    async def connect(cls) -> "Cluster":
        """By KUBECONFIG where it is set, else by the Pod's own service account."""
        settings = client.Configuration()
        if os.environ.get("KUBECONFIG"):
            await config.load_kube_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        return cls(client.ApiClient(settings))

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def apply(self, thing: Object) -> None:
        """Server-side apply of a child."""
        await self._send("PATCH", _path(thing), thing)

    async def apply_status(self, thing: Object, status: Object) -> None:
        """Server-side apply of the status; the uid keeps it from a namesake made anew."""
        meta = {key: thing["metadata"][key] for key in ("name", "namespace", "uid")}
        body = {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "metadata": meta, "status": status}
        await self._send("PATCH", f"{_path(thing)}/status", body)

    async def delete(self, thing: Object) -> None:
        """Delete exactly this object, by uid; it may be gone already."""
        options = {"preconditions": {"uid": thing["metadata"]["uid"]}}
        try:
            await self._send("DELETE", _path(thing), options)
        except ClusterError as error:
            if error.status not in (404, 409):
                raise

    async def listed(self, path: str) -> list[Object]:
        """All items below an API path."""
        answer = await self._send("GET", path)
        return [cast(Object, item) for item in answer.get("items") or []]

    async def event(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Record an Event; `kind` is Normal or Warning."""
        now = datetime.now(UTC)
        meta = about["metadata"]
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{meta['name']}.{now.timestamp():.6f}", "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                **{key: meta[key] for key in ("name", "namespace", "uid")},
            },
            "type": kind,
            "reason": reason,
            "message": message[:1000],
            "source": {"component": names.OPERATOR_MANAGER},
            "firstTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": 1,
        }
        await self._send("POST", _path(body).rpartition("/")[0], body)

    async def _send(self, method: str, path: str, body: Object | None = None) -> Object:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        query = ""
        if method == "PATCH":
            headers["Content-Type"] = "application/apply-patch+yaml"
            query = f"?fieldManager={names.OPERATOR_MANAGER}&force=true"
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        try:
            async with self._session().request(
                method,
                f"{self._host}{path}{query}",
                headers=headers,
                data=json.dumps(body) if body is not None else None,
                timeout=aiohttp.ClientTimeout(total=_SECONDS),
            ) as answer:
                text = await answer.text()
                if answer.status < 300:
                    return cast(Object, json.loads(text))
                raise ClusterError(f"{method} {path}: {_words(text)}", answer.status)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise ClusterError(f"{method} {path}: no answer from {self._host}: {error!r}") from error

    def _session(self) -> aiohttp.ClientSession:
        rest: Any = self._api.rest_client
        if rest.pool_manager is None:
            rest.pool_manager = rest._create_pool_manager()
        return cast(aiohttp.ClientSession, rest.pool_manager)


def _path(thing: Object) -> str:
    version = thing["apiVersion"]
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    meta = thing["metadata"]
    return f"{base}/namespaces/{meta['namespace']}/{_PLURALS[thing['kind']]}/{meta['name']}"


def _words(text: str) -> str:
    """The message of a Status object, or the bare text."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]
