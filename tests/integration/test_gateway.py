"""The gateway behind a real API server: who may, what is done, and whom it believes.

A QEMU runs natively; only exec is a stand-in's (standin.py), asked of the real API server first.
"""

import json
from pathlib import Path

import aiohttp
import pytest

from tests.integration.conftest import Api
from tests.integration.fakenode import clear, until
from tests.integration.gatewaying import (
    declared,
    launched,
    machine,
    person,
    port,
    standin,
    told,
)
from tests.integration.standin import StandIn
from tests.people import BASE, of_machine
from tests.unit.launcher.test_life import Running, launch

__all__ = ["launch", "machine", "port", "standin"]
pytestmark = pytest.mark.integration

GREETING = b"RFB 003.008\n"


def test_the_api_is_found_without_a_warning(api: Api, standin: StandIn) -> None:
    listed = json.loads(api.done("get", "--raw", BASE))
    found = {each["name"].partition("/")[2]: each["verbs"] for each in listed["resources"]}
    assert found["vnc"] == ["get"]
    assert found["restart"] == ["update"]
    answer = api.kubectl("api-resources", "--api-group=libvf.io", "--cached=false")
    assert (answer.returncode, answer.stderr) == (0, "")
    until(lambda: "subresources.libvf.io" in api.done("get", "--raw", "/openapi/v3"))
    described = json.loads(api.done("get", "--raw", f"/openapi/v3{BASE}"))
    assert of_machine("{name}", "pause", "{namespace}") in described["paths"]


def test_the_page_is_for_every_user_and_holds_no_more_than_its_files(api: Api, standin: StandIn) -> None:
    stranger = person(api, "nobody")
    paths = ("/", "/main.js", "/novnc/core/rfb.js", "/novnc/vendor/pako/lib/zlib/inflate.js", "")
    found = [stranger.ask("GET", f"{BASE}/console{path}") for path in paths]
    assert [code for code, _ in found] == [200, 200, 200, 200, 404]
    assert told(found[-1][1]) == f"the console is at {BASE}/console/, with the slash"
    for path in (
        "/../server.py",
        "/%2e%2e/server.py",
        "/novnc/package.json",
        "/novnc/core/..%2f..%2f..%2fetc%2fpasswd",
    ):
        assert stranger.ask("GET", f"{BASE}/console{path}")[0] in (403, 404)


# who may


def test_rbac_decides_who_sees_the_screen(api: Api, machine: Running) -> None:
    stranger, viewer, user = (
        person(api, *names)
        for names in (
            ("stranger", "view"),
            ("viewer", "libvf-viewer"),
            ("user", "libvf-console-user"),
        )
    )
    path = of_machine("m", "vnc")
    assert [each.upgrade(path) for each in (stranger, viewer, user)] == [403, 403, 101]
    assert [each.ask("GET", of_machine("m", "screenshot"))[0] for each in (stranger, viewer, user)] == [403, 200, 200]
    code, body = user.ask("PUT", of_machine("m", "pause"))
    assert code == 403
    assert "cannot update resource" in told(body)


def test_who_edits_a_namespace_may_all_of_it_there_and_nothing_elsewhere(api: Api, machine: Running) -> None:
    editor = person(api, "editor", "edit")
    assert editor.upgrade(of_machine("m", "vnc")) == 101
    assert editor.ask("PUT", of_machine("m", "pause"))[0] == 200
    assert editor.upgrade(of_machine("m", "vnc", "kube-system")) == 403


def test_a_page_of_another_site_may_not_look(api: Api, machine: Running) -> None:
    user = person(api, "user", "libvf-console-user")
    path = of_machine("m", "vnc")
    assert user.upgrade(path, Origin="https://elsewhere.example") == 403
    assert user.upgrade(path, Origin="http://localhost.elsewhere.example:8001") == 403
    assert user.upgrade(path, Origin="http://127.0.0.1:8001") == 101


# what is done


def test_two_see_the_screen_and_leave_nothing_behind(api: Api, machine: Running, standin: StandIn) -> None:
    user = person(api, "user", "libvf-console-user")
    path = of_machine("m", "vnc")

    async def talk(session: aiohttp.ClientSession) -> list[bytes]:
        sockets = [await session.ws_connect(path, protocols=("binary",)) for _ in range(2)]
        greetings = [await each.receive_bytes(timeout=20) for each in sockets]
        await sockets[0].send_bytes(GREETING)
        greetings.append(await sockets[0].receive_bytes(timeout=20))
        assert sockets[0].protocol == "binary"
        for each in sockets:
            await each.close()
        return greetings

    assert user.run(talk) == [GREETING, GREETING, b"\x01\x01"]
    until(lambda: all(process.returncode is not None for process in standin.processes))


def test_the_end_of_the_machine_is_told_and_so_is_what_it_does_not_offer(api: Api, machine: Running) -> None:
    user = person(api, "user", "libvf-console-user")

    async def closed(session: aiohttp.ClientSession, what: str) -> tuple[int | None, str]:
        socket = await session.ws_connect(of_machine("m", what), protocols=("binary",))
        if what == "vnc":
            assert await socket.receive_bytes(timeout=20) == GREETING
            machine.start("qmp", "quit")
        message = await socket.receive(timeout=20)
        return message.data, str(message.extra)

    code, reason = user.run(lambda session: closed(session, "spice"))
    assert code == 1011
    assert reason == "spice: there is no spice.sock: the guest does not run yet, or spec.display does not name it"
    assert user.run(lambda session: closed(session, "vnc")) == (1000, "the machine has ended it")


def test_a_picture_a_pause_and_going_on(api: Api, machine: Running) -> None:
    editor = person(api, "editor", "edit")
    code, picture = editor.ask("GET", of_machine("m", "screenshot"))
    assert (code, picture[:4]) == (200, b"\x89PNG")
    assert editor.ask("PUT", of_machine("m", "pause"))[0] == 200
    until(lambda: not machine.paths.ready.exists())
    assert editor.ask("PUT", of_machine("m", "unpause"))[0] == 200
    until(machine.paths.ready.exists)
    assert editor.ask("GET", of_machine("m", "pause"))[0] == 403  # another verb than the one that edit has


def test_a_machine_is_turned_off_on_and_over(api: Api, standin: StandIn) -> None:
    editor = person(api, "editor", "edit")
    declared(api, "o", runStrategy="RerunOnFailure")
    code, body = editor.ask("PUT", of_machine("o", "restart"))
    assert (code, told(body)) == (200, "o restarts: its guest is shut down first")
    first = api.get("vfvm", "o")["metadata"]["annotations"]["libvf.io/restart-requested"]
    assert editor.ask("PUT", of_machine("o", "restart"))[0] == 200
    assert api.get("vfvm", "o")["metadata"]["annotations"]["libvf.io/restart-requested"] > first
    assert editor.ask("PUT", of_machine("o", "stop"))[0] == 200
    assert api.get("vfvm", "o")["spec"]["runStrategy"] == "Halted"
    code, body = editor.ask("PUT", of_machine("o", "restart"))
    assert (code, told(body)) == (409, "o is off, its run strategy is Halted: kubectl vf start o")
    assert editor.ask("PUT", of_machine("o", "start"))[0] == 200
    assert api.get("vfvm", "o")["spec"]["runStrategy"] == "RerunOnFailure"
    clear(api)


def test_a_machine_that_does_not_run_says_so(api: Api, standin: StandIn) -> None:
    user = person(api, "user", "libvf-console-user")
    assert user.ask("GET", of_machine("none", "screenshot"))[0] == 404
    declared(api, "off", runStrategy="Halted")
    code, body = user.ask("GET", of_machine("off", "screenshot"))
    assert (code, told(body)) == (409, "off does not run: start it, or see kubectl describe vfvm off")
    assert user.upgrade(of_machine("off", "vnc")) == 409
    clear(api)


def test_a_pod_of_a_machines_name_that_somebody_else_made_is_not_entered(
    api: Api, standin: StandIn, tmp_path: Path
) -> None:
    user = person(api, "user", "libvf-console-user")
    launched(api, declared(api, "mine"), standin, tmp_path, ours=False)
    assert user.upgrade(of_machine("mine", "vnc")) == 409
    clear(api)
