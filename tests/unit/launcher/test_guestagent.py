"""QEMU's guest agent: the real one, and what a guest may put in its place."""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from libvf_api import guest_report
from libvf_api.guest_report import Guest
from libvf_launcher import guestagent, report
from libvf_launcher.paths import Paths

from lab.trixie import programs

Answers = Callable[[str], bytes]


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Path]:
    """Debian's own, on a socket of this host instead of a port of a guest."""
    program = programs("qemu-guest-agent", "qemu-ga") / "qemu-ga"
    place = tmp_path / "ga.sock"
    argv = [program, "--method", "unix-listen", "--path", place, "--statedir", tmp_path, "--pidfile", tmp_path / "pid"]
    with subprocess.Popen(argv) as process:
        yield place
        process.terminate()


async def test_the_real_one_says_system_and_name(real: Path) -> None:
    for _ in range(100):
        if said := await guestagent.ask(real):
            break
        await asyncio.sleep(0.05)
    assert said is not None
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    assert said.os == release["PRETTY_NAME"].strip('"')
    assert said.hostname == socket.gethostname()
    assert await guestagent.ask(real) == said


class Guests:
    """Whatever runs in the guest: `answer` gives its words for each command."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.answer: Answers = honest
        self.commands: list[str] = []
        self.asked = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._speak, self.place)

    async def end(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            request = json.loads(line.lstrip(b"\xff"))
            self.commands.append(request["execute"])
            self.asked.set()
            number = request["arguments"].get("id")
            writer.write(self.answer(request["execute"]).replace(b"NUMBER", str(number).encode()))
        writer.close()


def honest(command: str) -> bytes:
    interfaces = [
        {"name": "lo", "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}]},
        {"name": "eth0", "hardware-address": "52:54:00:12:34:56", "ip-addresses": [{"ip-address": "10.0.2.15"}]},
        {"name": "down"},
    ]
    answers = {
        "guest-get-osinfo": {"pretty-name": "Debian GNU/Linux 13", "id": "debian", "kernel-release": "6.12"},
        "guest-get-host-name": {"host-name": "web"},
        "guest-network-get-interfaces": interfaces,
    }
    if command == "guest-sync-delimited":
        return b'\xff{"return": NUMBER}\n'
    return json.dumps({"return": answers[command]}).encode() + b"\n"


def but(command: str, words: bytes) -> Answers:
    return lambda asked: words if asked == command else honest(asked)


@pytest.fixture
async def guest(tmp_path: Path) -> AsyncIterator[Guests]:
    guest = Guests(tmp_path / "ga.sock")
    await guest.start()
    yield guest
    await guest.end()


async def test_system_name_and_addresses_are_asked_for(guest: Guests) -> None:
    assert await guestagent.ask(guest.place) == Guest("Debian GNU/Linux 13", "web", ("10.0.2.15",))


async def test_an_older_agent_that_knows_less_says_less(guest: Guests) -> None:
    guest.answer = but("guest-get-osinfo", b'{"error": {"class": "CommandNotFound", "desc": "no"}}\n')
    assert await guestagent.ask(guest.place) == Guest("", "web", ("10.0.2.15",))


async def test_what_answers_somebody_else_is_skipped(guest: Guests) -> None:
    guest.answer = but("guest-sync-delimited", b'{"return": {}}\n\xff{"return": 0}\n\xff{"return": NUMBER}\n')
    assert await guestagent.ask(guest.place) is not None


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("guest-get-osinfo", b"x" * (1 << 20)),
        ("guest-get-osinfo", b'{"return": {"pretty-name": 7}}\n'),
        ("guest-get-host-name", b"\xfe\n"),
        ("guest-get-host-name", b'{"return": ' + b"[" * 60000 + b"\n"),
        ("guest-network-get-interfaces", b'{"return": {"ip-addresses": []}}\n'),
        ("guest-network-get-interfaces", b'{"return": [{"ip-addresses": [null]}]}\n'),
        ("guest-sync-delimited", b'\xff{"return": "NUMBER"}\n'),
    ],
)
async def test_an_answer_of_another_size_or_shape_is_none(guest: Guests, command: str, words: bytes) -> None:
    guest.answer = but(command, words)
    assert await guestagent.ask(guest.place) is None


async def test_a_guest_that_is_silent_or_never_in_step_is_not_waited_for(
    guest: Guests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guestagent, "_SECONDS", 0.2)
    guest.answer = but("guest-get-osinfo", b"")
    assert await guestagent.ask(guest.place) is None
    guest.answer = but("guest-sync-delimited", b'\xff{"return": 0}\n' * 1000)
    assert await guestagent.ask(guest.place) is None


async def test_no_socket_is_no_answer(tmp_path: Path) -> None:
    assert await guestagent.ask(tmp_path / "none") is None


async def test_what_it_says_is_passed_on_after_word_that_a_new_run_began(guest: Guests, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.run.mkdir(parents=True)
    paths.report.parent.mkdir(parents=True)
    guest.place.rename(paths.guest_agent)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as agent:
        agent.bind(str(paths.report))
        telling = asyncio.create_task(report.tell(paths))
        heard: list[Guest] = []
        while len(heard) < 2:
            await asyncio.sleep(0.01)
            try:
                heard.append(guest_report.decode(agent.recv(guest_report.MAX_BYTES)))
            except BlockingIOError:
                continue
        telling.cancel()
    assert heard == [Guest(), Guest("Debian GNU/Linux 13", "web", ("10.0.2.15",))]


async def test_a_node_whose_agent_does_not_listen_is_not_spoken_to(tmp_path: Path) -> None:
    await asyncio.wait_for(report.tell(Paths(tmp_path)), 1)


async def test_a_guest_that_does_not_hear_the_power_button_is_asked_to_shut_down(guest: Guests) -> None:
    asking = asyncio.create_task(guestagent.shut_down(guest.place, after=0.1))
    await asyncio.sleep(0.05)
    assert guest.commands == []
    await asyncio.wait_for(guest.asked.wait(), 5)
    asking.cancel()
    assert guest.commands == ["guest-shutdown"]
