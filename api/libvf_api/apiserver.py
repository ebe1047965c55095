"""Requests to the Kubernetes API server: what the doors of operator and agent have in common.

Documents go in and come out as plain JSON: the generated models of the client cost milliseconds an object, and
server-side apply must send just the fields that are ours.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.request import getproxies

import aiohttp
import msgspec
from kubernetes.aio import client, config

Json = dict[str, Any]

SECONDS = 15
LINE = 1 << 21
APPLY = "application/apply-patch+yaml"  # JSON is YAML: the API server takes an apply under this name only
MERGE = "application/merge-patch+json"
EXEC = "v5.channel.k8s.io"  # the first of its versions that can say that standard input has ended
HEARTBEAT = 20  # seconds: proxies and firewalls forget a connection that is silent for minutes


class ApiError(Exception):
    """The API server refused or did not answer; `status` is the HTTP code, 0 without an answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ApiServer:
    """One API server, with this program's credentials; every method raises ApiError."""

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api

    @classmethod
    async def connect(cls) -> "ApiServer":
        """By KUBECONFIG where it is set, else by the Pod's own service account, whose token is renewed."""
        settings = client.Configuration()
        # of whole requests each has its own; a stream has none
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SECONDS)
        # by the environment's proxies, where there are any: each request then looks for them on two threads; and an
        # event of a watch is one line, as etcd takes objects of 1.5 MiB
        kwargs = {"timeout": timeout, "trust_env": bool(getproxies()), "read_bufsize": LINE}
        settings.client_session_kwargs = kwargs
        if file := os.environ.get("KUBECONFIG"):
            await config.load_kube_config(file, client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        return cls(client.ApiClient(settings))

    async def close(self) -> None:
        """Give the connections back."""
        await self._api.close()  # type: ignore[no-untyped-call]

    async def get(self, path: str, query: Json | None = None) -> Json:
        """An object, or a list."""
        return await self._json("GET", path, query=query)

    async def read(self, path: str) -> bytes:
        """An answer as it came, for who takes little out of it; the query is part of the path."""
        async with await self._send("GET", path, None, {}, SECONDS) as answer:
            return await _whole(answer)

    async def create(self, path: str, body: Json, manager: str) -> Json:
        """A new object in the collection at `path`; 409 where there is one of that name."""
        return await self._json("POST", path, body, {"fieldManager": manager})

    async def apply(self, path: str, body: Json, manager: str) -> Json:
        """Server-side apply; fields that others own are taken over, as they are ours to say."""
        return await self._json("PATCH", path, body, {"fieldManager": manager, "force": "true"})

    async def merge(self, path: str, body: Json, manager: str) -> Json:
        """A JSON merge patch: what it does not name stays, null removes."""
        return await self._json("PATCH", path, body, {"fieldManager": manager}, MERGE)

    async def replace(self, path: str, body: Json, manager: str) -> Json:
        """The whole object anew; 409 where somebody else has written it since `body` was read."""
        return await self._json("PUT", path, body, {"fieldManager": manager})

    async def execute(self, pod: str, container: str, command: Sequence[str]) -> aiohttp.ClientWebSocketResponse:
        """A program in a container with standard input, output and error, at the Pod's path.

        Each message is a channel's number and its bytes, by the protocol EXEC.
        """
        words = [("command", word) for word in command]
        query = [("container", container), *((name, "true") for name in ("stdin", "stdout", "stderr")), *words]
        try:
            _, url, headers, *_ = await self._api.param_serialize(
                "GET", f"{pod}/exec", query_params=query, auth_settings=["BearerToken"]
            )
            async with asyncio.timeout(SECONDS):
                return await self._session().ws_connect(
                    url, headers=headers, protocols=(EXEC,), heartbeat=HEARTBEAT, autoping=True, **self._way()
                )
        except aiohttp.WSServerHandshakeError as error:
            raise ApiError(f"exec in {pod}: the API server refused it: {error.status}", error.status) from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ApiError(f"exec in {pod}: no answer from {self._api.configuration.host}: {error!r}") from error

    async def delete(self, path: str, uid: str | None = None) -> None:
        """Delete an object, only if it has this uid; it may be gone already, or made anew (404, 409)."""
        try:
            await self._json("DELETE", path, {"preconditions": {"uid": uid}} if uid else None)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    async def watch(self, path: str, query: Json, seconds: int) -> AsyncIterator[Json]:
        """Events of a list from now on, until the server ends the watch after `seconds`."""
        async for event in self.follow(path, query, seconds):
            if event["type"] != "LIST":
                yield event

    async def follow(self, path: str, query: Json, seconds: int) -> AsyncIterator[Json]:
        """The list itself as a first event of type LIST, then what changes after it, so that nothing is missed."""
        listed = await self.get(path, query)
        yield {"type": "LIST", "object": listed}
        version = listed["metadata"]["resourceVersion"]
        options = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        async with await self._send("GET", path, None, {**query, **options}, seconds + 30) as answer:
            try:
                async for line in answer.content:
                    yield msgspec.json.decode(line)
            except (TimeoutError, aiohttp.ClientError) as error:
                raise ApiError(f"watch {path}: the connection broke: {error!r}") from error

    def _session(self) -> aiohttp.ClientSession:
        rest = self._api.rest_client
        rest.pool_manager = rest.pool_manager or rest._create_pool_manager()
        session: aiohttp.ClientSession = rest.pool_manager
        return session

    async def _json(
        self, method: str, path: str, body: Json | None = None, query: Json | None = None, patch: str = APPLY
    ) -> Json:
        async with await self._send(method, path, body, query or {}, SECONDS, patch) as answer:
            document: Json = msgspec.json.decode(await _whole(answer))
            return document

    async def _send(
        self, method: str, path: str, body: Json | None, query: Json, seconds: float, patch: str = APPLY
    ) -> aiohttp.ClientResponse:
        """One request; the caller closes the answer.

        The client's own call walks over each document twice in Python before it encodes it, and with blanks: the API
        server keeps a driver's opaque parameters as they came, drops the blanks when somebody writes a status, and then
        refuses that as a change of what can not change (1.37).
        """
        headers = {"Accept": "application/json", "Content-Type": patch if method == "PATCH" else "application/json"}
        data = None if body is None else msgspec.json.encode(body, order="sorted")
        try:
            _, url, headers, *_ = await self._api.param_serialize(
                method, path, query_params=list(query.items()), header_params=headers, auth_settings=["BearerToken"]
            )
            timeout = aiohttp.ClientTimeout(total=seconds)
            answer = await self._session().request(
                method, url, headers=headers, data=data, timeout=timeout, **self._way()
            )
            if answer.status < 300:
                return answer
            text = await answer.text()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            host = self._api.configuration.host
            raise ApiError(f"{method} {path}: no answer from {host}: {error!r}") from error
        raise ApiError(f"{method} {path}: {_words(text)}", answer.status)

    def _way(self) -> Json:
        """What a kubeconfig may say of the way to the server."""
        settings = self._api.configuration
        names = {"server_hostname": settings.tls_server_name, "proxy": settings.proxy}
        return {**names, "proxy_headers": settings.proxy_headers}


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    try:
        return await answer.read()
    except (TimeoutError, aiohttp.ClientError) as error:
        raise ApiError(f"{answer.method} {answer.url.path}: the answer broke off: {error!r}") from error


def _words(text: str) -> str:
    """The message of a Status object, or the bare text."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:300]
