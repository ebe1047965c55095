"""The gateway's program before a real API server, and people who ask it by that API server."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.novnc import novnc
from tests.integration import fakenode
from tests.integration.conftest import REPOSITORY, Api
from tests.integration.fakenode import clear, until
from tests.integration.standin import StandIn
from tests.people import Person, bound
from tests.ports import free_port
from tests.unit.launcher.test_life import Running

API_SERVICE = "v1alpha1.subresources.libvf.io"
Json = dict[str, Any]


def token(api: Api, account: str, namespace: str = "default") -> str:
    """A token of a service account, which is made where there is none."""
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}})
    return api.done("-n", namespace, "create", "token", account, "--duration=2h").strip()


def person(api: Api, account: str, *roles: str) -> Person:
    """A service account of the default namespace with these cluster roles in it, as somebody who asks."""
    settings = yaml.safe_load(api.kubeconfig.read_text())
    mine = token(api, account)
    for role in roles:
        api.apply(bound(account, role))
    authority = api.kubeconfig.parent / "pki" / "ca.crt"
    return Person(settings["clusters"][0]["cluster"]["server"], authority, mine)


@contextmanager
def gateway(api: Api, folder: Path, server: str, port: int, novnc: Path) -> Iterator[None]:
    """The gateway's program under its own service account, with just the rights of the manifests."""
    folder.mkdir(parents=True)
    mine = api.done("-n", "libvf-system", "create", "token", "libvf-gateway", "--duration=2h").strip()
    cluster = [{"name": "lab", "cluster": {"server": server}}]
    context = [{"name": "lab", "context": {"cluster": "lab", "user": "user"}}]
    users = [{"name": "user", "user": {"token": mine}}]
    settings = {"apiVersion": "v1", "kind": "Config", "clusters": cluster, "users": users, "contexts": context}
    (folder / "kubeconfig").write_text(json.dumps({**settings, "current-context": "lab"}))
    environment = {**os.environ, "KUBECONFIG": str(folder / "kubeconfig"), "LIBVF_PORT": str(port)}
    environment |= {"LIBVF_ADDRESS": "127.0.0.1", "LIBVF_NOVNC": str(novnc)}
    with (folder / "log").open("w") as log:
        argv = [sys.executable, "-m", "libvf_gateway"]
        process = subprocess.Popen(argv, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lambda: listens(port) or process.poll() is not None)
        yield
        assert process.poll() is None, (folder / "log").read_text()[-3000:]
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in (folder / "log").read_text(), (folder / "log").read_text()[-3000:]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def register(api: Api, port: int) -> None:
    """The API of the manifests, at a port of the loopback: a Service of a name, as there is no node for its Pods."""
    documents = list(yaml.safe_load_all((REPOSITORY / "manifests" / "base" / "gateway.yaml").read_text()))
    [service] = [thing for thing in documents if thing["kind"] == "APIService"]
    service["spec"]["service"]["port"] = port
    service["metadata"]["annotations"] = {}
    meta = {"name": "libvf-gateway", "namespace": "libvf-system"}
    api.done("-n", "libvf-system", "delete", "service", "libvf-gateway", "--ignore-not-found")
    named = {"type": "ExternalName", "externalName": "localhost"}
    api.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": named}, service)


def available(api: Api) -> bool:
    """Whether the API server has reached the gateway, and believes its certificate."""
    conditions = json.loads(api.done("get", "apiservice", API_SERVICE, "-o", "json")).get("status", {})
    return any(c["type"] == "Available" and c["status"] == "True" for c in conditions.get("conditions", []))


def declared(api: Api, name: str, **spec: Any) -> Json:
    """A VirtualMachine without a slice, which nobody carries out."""
    thing = fakenode.machine(name)
    thing["spec"] = {"memory": {"size": "64Mi"}, **spec}
    api.apply(thing)
    return api.get("vfvm", name)


def launched(api: Api, thing: Json, standin: StandIn, root: Path, ours: bool = True) -> None:
    """Its Pod, whose launcher is the one that has this folder as its root."""
    name = thing["metadata"]["name"]
    reference = {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "name": name}
    meta = {
        "name": name,
        "namespace": "default",
        "ownerReferences": [{**reference, "uid": thing["metadata"]["uid"], "controller": True}] if ours else [],
    }
    spec = {"containers": [{"name": "launcher", "image": "libvf.io/launcher:dev"}]}
    api.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    container = {"name": "launcher", "image": "x", "imageID": "x", "ready": True, "restartCount": 0}
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{**container, "state": {"running": {"startedAt": now}}}],
    }
    api.done("patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    standin.containers[name] = root


def told(body: bytes) -> str:
    return str(json.loads(body)["message"])


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def standin(api: Api, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The gateway, registered and available; what it execs is carried out here."""
    anyone = person(api, "anyone")
    standing = StandIn(anyone.server, anyone.authority)
    folder = tmp_path_factory.mktemp("gateway")
    register(api, port)
    with standing.running(), gateway(api, folder / "one", standing.url, port, novnc()):
        until(lambda: available(api))
        yield standing
    api.done("delete", "apiservice", API_SERVICE)


@pytest.fixture
def machine(api: Api, standin: StandIn, launch: Callable[..., Running]) -> Iterator[Running]:
    """A VM called m whose guest runs."""
    running = launch()
    running.until(running.paths.ready.exists)
    launched(api, declared(api, "m"), standin, running.paths.root)
    yield running
    clear(api)
