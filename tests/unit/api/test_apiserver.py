"""Requests to an API server that does not end what it began to say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from libvf_api.apiserver import ApiError, ApiServer


async def _breaks_off(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "1000"})
    await answer.prepare(request)
    await answer.write(b'{"kind": "PodList", "items": [')
    assert request.transport
    request.transport.abort()
    return answer


@asynccontextmanager
async def _connected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiServer]:
    application = web.Application()
    application.router.add_get("/api/v1/pods", _breaks_off)
    async with TestServer(application) as server:
        cluster = {"name": "c", "cluster": {"server": str(server.make_url(""))}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        users = [{"name": "u", "user": {}}]
        config = {"clusters": [cluster], "contexts": [context], "current-context": "c", "users": users}
        (folder / "kubeconfig").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **config}))
        monkeypatch.setenv("KUBECONFIG", str(folder / "kubeconfig"))
        client = await ApiServer.connect()
        try:
            yield client
        finally:
            await client.close()


async def test_an_answer_that_breaks_off_is_the_api_servers_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep is tried again after those, where any other error would end the operator."""
    async with _connected(tmp_path, monkeypatch) as client:
        with pytest.raises(ApiError, match="GET /api/v1/pods: the answer broke off"):
            await client.get("/api/v1/pods")
        with pytest.raises(ApiError, match="broke off"):
            await client.read("/api/v1/pods")
