"""Whom the gateway believes, what it may do itself, and its certificate."""

import base64
import json
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from lab.shell import run as shell
from tests.integration.conftest import Api
from tests.integration.fakenode import until
from tests.integration.gatewaying import (
    API_SERVICE,
    Json,
    available,
    gateway,
    machine,
    person,
    port,
    register,
    standin,
    token,
    told,
)
from tests.integration.standin import StandIn
from tests.people import BASE, Person, of_machine
from tests.ports import free_port
from tests.unit.launcher.test_life import Running, launch

__all__ = ["launch", "machine", "port", "standin"]
pytestmark = pytest.mark.integration


@pytest.fixture
def proxy_certificate(api: Api, tmp_path: Path) -> Callable[[str, str], ssl.SSLContext]:
    """A client certificate of one of the control plane's authorities."""
    pki = api.kubeconfig.parent / "pki"

    def made(authority: str, name: str) -> ssl.SSLContext:
        key, request, certificate = (tmp_path / f"{name}.{kind}" for kind in ("key", "csr", "crt"))
        new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key]
        shell([*new, "-out", request])
        sign = ["openssl", "x509", "-req", "-in", request, "-days", "1", "-CA", pki / f"{authority}.crt"]
        shell([*sign, "-CAkey", pki / f"{authority}.key", "-CAcreateserial", "-out", certificate])
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(certificate, key)
        return context

    return made


async def directly(port: int, context: ssl.SSLContext, **headers: str) -> tuple[int, str]:
    """Past the API server, as somebody who has reached the Pod's network."""
    url = f"https://127.0.0.1:{port}{of_machine('m', 'screenshot')}"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=context, headers=headers) as answer:
        return answer.status, told(await answer.read()) if answer.status != 200 else ""


async def test_nobody_but_the_api_server_is_believed_who_asks(
    standin: StandIn, port: int, proxy_certificate: Callable[[str, str], ssl.SSLContext]
) -> None:
    forged = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
    bare = ssl.create_default_context()
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    assert await directly(port, bare, **forged) == (
        401,
        "only the API server is believed who asks: use its address, not this one",
    )
    code, words = await directly(port, proxy_certificate("front-proxy-ca", "another-proxy"), **forged)
    assert code == 401
    assert "a front proxy named another-proxy is not among --requestheader-allowed-names" in words
    with pytest.raises((aiohttp.ClientError, ssl.SSLError)):  # of the cluster's own authority, as a kubelet has one
        await directly(port, proxy_certificate("ca", "front-proxy-client"), **forged)


async def test_it_asks_itself_whether_the_user_may(
    api: Api, standin: StandIn, port: int, proxy_certificate: Callable[[str, str], ssl.SSLContext]
) -> None:
    proxy = proxy_certificate("front-proxy-ca", "front-proxy-client")
    code, words = await directly(port, proxy, **{"X-Remote-User": "nobody"})
    assert (code, words.partition(" in API group")[0]) == (403, "User nobody cannot get virtualmachines/screenshot")
    code, words = await directly(port, proxy, **{"X-Remote-User": "root", "X-Remote-Group": "system:masters"})
    assert (code, words) == (404, "there is no VirtualMachine m in namespace default")


# what the gateway itself may


@pytest.fixture
def itself(api: Api, standin: StandIn) -> Person:
    anyone = person(api, "anyone")
    return Person(anyone.server, anyone.authority, token(api, "libvf-gateway", "libvf-system"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("command=sh&container=launcher", "only run the launcher's own commands"),
        ("command=libvf-launcher&command=qmp&command=quit&container=launcher", "only run the launcher's own commands"),
        ("command=libvf-launcher&command=proxy&command=vnc&container=agent", "only run programs in a container called"),
        ("command=libvf-launcher&command=proxy&command=vnc", "only run programs in a container called"),
    ],
)
def test_admission_holds_its_exec_to_the_launchers_commands(
    api: Api, itself: Person, machine: Running, query: str, words: str
) -> None:
    path = f"/api/v1/namespaces/default/pods/m/exec?stdout=true&{query}"
    code, body = itself.ask("GET", path)
    assert (code, words in told(body)) == (422, True), told(body)


def patched(api: Api, patch: Json) -> subprocess.CompletedProcess[str]:
    account = "system:serviceaccount:libvf-system:libvf-gateway"
    return api.kubectl("--as", account, "patch", "vfvm", "m", "--type=merge", "-p", json.dumps(patch))


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"spec": {"memory": {"size": "1Gi"}}}, "only change runStrategy in the spec"),
        ({"spec": {"disks": [{"name": "x", "size": "1Gi"}]}}, "only change runStrategy in the spec"),
        ({"metadata": {"annotations": {"a": "b"}}}, "only change the annotations by which"),
        ({"metadata": {"labels": {"a": "b"}}}, "may not change a machine's labels"),
        ({"metadata": {"finalizers": ["a.example/b"]}}, "may not change a machine's labels, finalizers"),
    ],
)
def test_admission_holds_its_patches_to_on_off_and_over(api: Api, machine: Running, patch: Json, words: str) -> None:
    answer = patched(api, patch)
    assert answer.returncode != 0
    assert words in answer.stderr
    assert patched(api, {"spec": {"runStrategy": "Once"}}).returncode == 0


# its certificate


def bundle(api: Api) -> str:
    service = json.loads(api.done("get", "apiservice", API_SERVICE, "-o", "json"))
    return base64.b64decode(service["spec"]["caBundle"]).decode()


def test_replicas_serve_one_certificate_and_a_lost_one_is_made_anew(
    api: Api, standin: StandIn, port: int, tmp_path: Path
) -> None:
    before = bundle(api)
    with gateway(api, tmp_path / "two", standin.url, another := free_port(), tmp_path):
        assert bundle(api) == before
        shown = [ssl.get_server_certificate(("127.0.0.1", each)) for each in (port, another)]
        assert shown[0] == shown[1]
    api.done("-n", "libvf-system", "patch", "secret", "libvf-gateway", "--type=merge", "-p", '{"data": null}')
    with gateway(api, tmp_path / "three", standin.url, another := free_port(), tmp_path):
        assert bundle(api) != before
        register(api, another)
        until(lambda: available(api) and api.kubectl("get", "--raw", BASE).returncode == 0)
