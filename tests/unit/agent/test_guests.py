"""From a launcher's datagram to its claim's status, by the agent as it runs, on the socket that CDI names."""

import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from libvf_agent.guests import Guests
from libvf_api import guest_report
from libvf_api.guest_report import Guest

from tests.unit.agent.plugged import CLAIM, UID, Bed, xga

WEB = Guest("Debian GNU/Linux 13", "web", ("10.0.2.15",))
TOLD = {"os": "Debian GNU/Linux 13", "hostname": "web", "addresses": ["10.0.2.15"]}


class Launcher:
    """The end of the socket that is in the container."""

    def __init__(self, bed: Bed) -> None:
        document = json.loads(bed.cdi_file.read_text())
        mounts = [m for d in document["devices"] for m in d["containerEdits"]["mounts"]]
        [self.mount] = [m for m in mounts if m["containerPath"] == guest_report.FOLDER]
        self.folder = Path(self.mount["hostPath"])

    def say(self, datagram: bytes | Guest) -> bool:
        """Whether it could be sent."""
        content = guest_report.encode(datagram) if isinstance(datagram, Guest) else datagram
        number = os.open(self.folder, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
                line.sendto(content, f"/proc/self/fd/{number}/{guest_report.SOCKET}")
            return True
        except BlockingIOError:
            return False
        finally:
            os.close(number)


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    bed = Bed(tmp_path)
    bed.host.recover()
    await bed.sockets.start()
    bed.cluster.allocate("desk-gpu0", UID, {"request": "kvm", "pool": "n1-kvm", "device": "kvm"})
    assert (await bed.prepare(CLAIM))[UID].error == ""
    bed.driver.guests = Guests(bed.host, bed.cluster, write_seconds=0)
    await bed.driver.guests.pass_on()
    yield bed
    bed.driver.guests.close()
    await bed.sockets.stop()
    bed.host.journal.unlock()


def _data(bed: Bed) -> dict[str, Any]:
    [device] = bed.cluster.statuses[-1]["status"]["devices"]
    return dict(device["data"])


async def test_what_the_guest_says_is_on_its_claim_beside_what_the_agent_says(bed: Bed) -> None:
    before = bed.cluster.statuses[-1]["status"]["devices"][0]["conditions"]
    Launcher(bed).say(WEB)
    await bed.driver.guests.pass_on()
    assert _data(bed) == {"accelerated": True, "guest": TOLD}
    assert bed.cluster.statuses[-1]["status"]["devices"][0]["conditions"] == before
    assert bed.cluster.statuses[-1]["metadata"]["uid"] == UID


async def test_the_same_again_writes_nothing(bed: Bed) -> None:
    launcher = Launcher(bed)
    for _ in range(3):
        launcher.say(WEB)
        await bed.driver.guests.pass_on()
    assert len(bed.cluster.statuses) == 2  # that of Prepare, and this one


async def test_the_last_word_counts_and_silence_takes_it_back(bed: Bed) -> None:
    launcher = Launcher(bed)
    launcher.say(Guest("old"))
    launcher.say(WEB)
    await bed.driver.guests.pass_on()
    assert _data(bed)["guest"] == TOLD
    launcher.say(Guest())
    await bed.driver.guests.pass_on()
    assert _data(bed) == {"accelerated": True}


async def test_a_claim_is_written_at_most_every_so_often(bed: Bed) -> None:
    bed.driver.guests.close()
    bed.driver.guests = Guests(bed.host, bed.cluster)
    await bed.driver.guests.pass_on()
    launcher = Launcher(bed)
    for name in ("a", "b", "c"):
        launcher.say(Guest(hostname=name))
        await bed.driver.guests.pass_on()
    assert [status["status"]["devices"][0]["data"].get("guest") for status in bed.cluster.statuses] == [
        None,
        {"hostname": "a"},
    ]


async def test_who_floods_the_socket_has_to_wait_and_the_agent_reads_no_faster(bed: Bed) -> None:
    launcher = Launcher(bed)
    sent = sum(launcher.say(Guest(hostname=str(number))) for number in range(10_000))
    assert sent < 10_000
    await bed.driver.guests.pass_on()
    assert len(bed.cluster.statuses) == 2


@pytest.mark.parametrize("junk", [b"", b"\xff" * 9000, b"[" * 8000, b'{"os": {}}'])
async def test_junk_is_passed_over(bed: Bed, junk: bytes) -> None:
    launcher = Launcher(bed)
    launcher.say(WEB)
    launcher.say(junk)
    await bed.driver.guests.pass_on()
    assert _data(bed)["guest"] == TOLD


async def test_the_launcher_can_neither_write_there_nor_can_others_speak(bed: Bed) -> None:
    launcher = Launcher(bed)
    assert "ro" in launcher.mount["options"]
    status = (launcher.folder / guest_report.SOCKET).stat()
    assert (status.st_uid, status.st_mode & 0o777) == (107, 0o600)


async def test_an_agent_that_was_restarted_listens_again(bed: Bed) -> None:
    bed.driver.guests.close()
    bed.driver.guests = Guests(bed.host, bed.cluster, write_seconds=0)
    await bed.driver.guests.pass_on()
    Launcher(bed).say(WEB)
    await bed.driver.guests.pass_on()
    assert _data(bed)["guest"] == TOLD


async def test_preparing_again_does_not_lose_what_the_guest_says(bed: Bed) -> None:
    launcher = Launcher(bed)
    launcher.say(WEB)
    await bed.driver.guests.pass_on()
    await bed.prepare(CLAIM)
    assert "guest" not in _data(bed)
    launcher.say(WEB)
    await bed.driver.guests.pass_on()
    assert _data(bed)["guest"] == TOLD


async def test_unprepare_takes_folder_and_socket_away(bed: Bed) -> None:
    folder = Launcher(bed).folder
    await bed.unprepare(CLAIM)
    await bed.driver.guests.pass_on()
    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []


async def test_a_claim_made_anew_is_not_told_of_the_old_ones_guest(bed: Bed) -> None:
    Launcher(bed).say(WEB)
    bed.cluster.claims["ns", "desk-gpu0"]["metadata"]["uid"] = "0a1b2c3d-0000-4000-8000-0000000000ff"
    await bed.driver.guests.pass_on()
    assert len(bed.cluster.statuses) == 1


async def test_a_gpus_claim_has_no_such_socket(bed: Bed) -> None:
    await bed.unprepare(CLAIM)
    xga(bed)
    await bed.prepare(CLAIM)
    mounts = json.loads(bed.cdi_file.read_text())["devices"][0]["containerEdits"]["mounts"]
    assert guest_report.FOLDER not in [mount["containerPath"] for mount in mounts]
