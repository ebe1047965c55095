"""People who ask the API server, each with a token of their own: by HTTP, by WebSocket, by `kubectl proxy`."""

import asyncio
import json
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from lab.binaries import binaries

BASE = "/apis/subresources.libvf.io/v1alpha1"
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token of the API server."""

    server: str
    authority: Path
    token: str

    def run(self, talk: Callable[[aiohttp.ClientSession], Awaitable[Answer]]) -> Answer:
        """Talk to the API server as this person."""

        async def talking() -> Answer:
            trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(self.authority)))
            headers = {"Authorization": f"Bearer {self.token}"}
            async with aiohttp.ClientSession(self.server, connector=trusting, headers=headers) as session:
                return await talk(session)

        return asyncio.run(talking())

    def ask(self, method: str, path: str) -> tuple[int, bytes]:
        """One request: the code and the body."""

        async def talk(session: aiohttp.ClientSession) -> tuple[int, bytes]:
            async with session.request(method, path) as answer:
                return answer.status, await answer.read()

        return self.run(talk)

    def upgrade(self, path: str, **headers: str) -> int:
        """The code that a WebSocket is refused with; 101 where it is not."""

        async def talk(session: aiohttp.ClientSession) -> int:
            try:
                await (await session.ws_connect(path, protocols=("binary",), headers=headers)).close()
            except aiohttp.WSServerHandshakeError as error:
                return error.status
            return 101

        return self.run(talk)


def of_machine(name: str, what: str, namespace: str = "default") -> str:
    """The path of a subresource."""
    return f"{BASE}/namespaces/{namespace}/virtualmachines/{name}/{what}"


def bound(account: str, role: str) -> dict[str, Any]:
    """A cluster role for a service account, in the default namespace."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": "default"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    meta = {"name": f"{account}-{role}", "namespace": "default"}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta}
    return {**binding, "roleRef": reference, "subjects": [subject]}


@contextmanager
def proxied(someone: Person, folder: Path) -> Iterator[str]:
    """By which people open the console; yields its address, `http://127.0.0.1:PORT`."""
    cluster = [{"name": "lab", "cluster": {"server": someone.server, "certificate-authority": str(someone.authority)}}]
    context = [{"name": "lab", "context": {"cluster": "lab", "user": "user"}}]
    users = [{"name": "user", "user": {"token": someone.token}}]
    settings = {"apiVersion": "v1", "kind": "Config", "clusters": cluster, "users": users, "contexts": context}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "kubeconfig"
    file.write_text(json.dumps({**settings, "current-context": "lab"}))
    argv = [str(binaries() / "kubectl"), "--kubeconfig", str(file), "proxy", "--port=0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()  # Starting to serve on 127.0.0.1:PORT
        try:
            yield f"http://{said.split()[-1]}"
        finally:
            process.terminate()
