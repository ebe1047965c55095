"""What kubelet asks of a launcher Pod and what it is told: the operator's probes at the launcher's port."""

import asyncio
import contextlib
import http.client
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from libvf_api import names
from libvf_launcher.errors import BadMachine
from libvf_launcher.paths import Paths
from libvf_launcher.readiness import Readiness
from libvf_operator import pod

from tests.unit.operator.test_machine import SETTINGS, vm

SECONDS = 10


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "run/libvf").mkdir(parents=True)
    return Paths(tmp_path, 0)


@contextlib.asynccontextmanager
async def served(paths: Paths) -> AsyncIterator[Readiness]:
    readiness = Readiness(paths)
    async with readiness.served():
        yield readiness


async def asked(readiness: Readiness, probe: str = "readinessProbe") -> bool:
    """As kubelet does: any answer from 200 to 399 is a yes."""
    return await asyncio.to_thread(_asked, readiness.port, probe)


def _asked(port: int, probe: str) -> bool:
    [container] = pod.for_machine(vm(), SETTINGS)["spec"]["containers"]
    get = container[probe]["httpGet"]
    assert get["port"] == names.READINESS_PORT == Paths().readiness_port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=container[probe]["timeoutSeconds"])
    connection.request("GET", get["path"])
    status = connection.getresponse().status
    connection.close()
    return 200 <= status < 400


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe"])
async def test_it_is_a_no_until_the_guest_runs_and_a_yes_from_then_on(paths: Paths, probe: str) -> None:
    async with served(paths) as readiness:
        assert not await asked(readiness, probe)
        readiness.tell(running=True)
        assert await asked(readiness, probe)
        assert await asked(readiness, probe)


async def test_who_asks_just_before_the_guest_runs_hears_of_it_at_once(paths: Paths) -> None:
    async with served(paths) as readiness:
        asking = asyncio.create_task(asked(readiness, "startupProbe"))
        await asyncio.sleep(0.3)
        assert not asking.done()
        readiness.tell(running=True)
        assert await asyncio.wait_for(asking, SECONDS)


async def test_a_guest_that_is_paused_is_not_ready_and_one_that_goes_on_is(paths: Paths) -> None:
    async with served(paths) as readiness:
        for running in (True, False, True):
            readiness.tell(running)
            assert await asked(readiness) is running
            assert paths.ready.exists() is running


async def test_a_container_that_restarts_in_its_pod_begins_anew(paths: Paths) -> None:
    Readiness(paths).tell(running=True)
    async with served(paths) as readiness:
        assert not await asked(readiness)


async def test_whoever_says_nothing_or_too_much_keeps_nobody_else_waiting(paths: Paths) -> None:
    async with served(paths) as readiness:
        readiness.tell(running=True)
        with socket.create_connection(("127.0.0.1", readiness.port)), contextlib.suppress(ConnectionError):
            loud = socket.create_connection(("127.0.0.1", readiness.port), timeout=SECONDS)
            await asyncio.to_thread(loud.sendall, b"x" * (1 << 20))
            loud.close()
        assert await asked(readiness)


async def test_a_port_that_is_taken_is_told(paths: Paths) -> None:
    async with served(paths) as readiness:
        with pytest.raises(BadMachine, match=f"port {readiness.port} of the Pod"):
            async with Readiness(Paths(paths.root, readiness.port)).served():
                raise AssertionError
