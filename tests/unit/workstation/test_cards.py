"""A card that drives the desktop is never taken without being told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from libvf_workstation import cards
from libvf_workstation.cards import Card
from libvf_workstation.errors import Refused

DESK, SPARE = "0000:00:02.0", "0000:65:00.0"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Two cards: a screen is on the first one."""
    for address, vendor, screen in ((DESK, "0x8086", "connected"), (SPARE, "0x10de", "disconnected")):
        card = tmp_path / "sys/bus/pci/devices" / address
        connector = card / "drm/card0/card0-DP-1"
        connector.mkdir(parents=True)
        (connector / "status").write_text(f"{screen}\n")
        for name, text in (("class", "0x030000"), ("vendor", vendor), ("device", "0x2204"), ("boot_vga", "0")):
            (card / name).write_text(f"{text}\n")
    disk = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    disk.mkdir()
    (disk / "class").write_text("0x010802\n")
    (tmp_path / "sys/class/mdev_bus/0000:65:00.0").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def display_server() -> Iterator[subprocess.Popen[bytes]]:
    """A program that holds a file open as a display server holds its card."""
    program = "import os, time; os.open('/dev/null', os.O_RDWR); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield running
        running.kill()


def test_only_display_cards_are_listed_and_a_connected_screen_is_seen(host: Path) -> None:
    assert [(card.address, card.device, card.screens) for card in cards.look(host)] == [
        (DESK, "8086:2204", ("card0-DP-1",)),
        (SPARE, "10de:2204", ()),
    ]


def test_the_card_of_the_firmwares_first_screen_is_the_desktops(host: Path) -> None:
    (host / "sys/bus/pci/devices" / SPARE / "boot_vga").write_text("1\n")
    assert cards.look(host)[1].desktop == "the firmware showed its first screen on it"


def test_a_program_that_holds_a_card_open_is_named(display_server: subprocess.Popen[bytes]) -> None:
    name = Path(f"/proc/{display_server.pid}/comm").read_text().strip()
    assert cards.holders(Path("/"), {"/dev/null"}, [display_server.pid]) == {name}


def test_the_desktops_card_is_refused_and_says_what_would_be_lost(host: Path) -> None:
    with pytest.raises(Refused, match=r"would take the desktop away \(there is a screen on card0-DP-1\)"):
        cards.policies(cards.look(host), [DESK], even_the_desktop=False)


def test_told_twice_even_the_desktops_card_is_taken(host: Path) -> None:
    [policy] = cards.policies(cards.look(host), [DESK], even_the_desktop=True)
    assert policy["spec"] == {"cards": {"addresses": [DESK]}, "takeFromHost": True, "hostDisplay": "Take"}


def test_another_card_is_taken_without_the_hosts_display(host: Path) -> None:
    [policy] = cards.policies(cards.look(host), [SPARE], even_the_desktop=True)
    assert policy["spec"] == {"cards": {"addresses": [SPARE]}, "takeFromHost": True}


def test_no_card_is_taken_that_was_not_named(host: Path) -> None:
    assert cards.policies(cards.look(host), [], even_the_desktop=True) == []


def test_a_card_that_is_not_there_is_refused_with_those_that_are(host: Path) -> None:
    with pytest.raises(Refused, match=f"no such card; there are {DESK}, {SPARE}"):
        cards.policies(cards.look(host), ["0000:99:00.0"], even_the_desktop=False)


def test_cards_are_told_with_their_drivers_and_what_is_cut_already(host: Path) -> None:
    told = cards.told([Card(SPARE, "10de:2204", "nvidia", first=True)], cards.parents(host))
    assert told == (
        f"  {SPARE}  10de:2204  driver nvidia  drives the desktop: the firmware showed its first screen on it\n"
        f"  {SPARE}  is cut by its own driver: nothing of it is taken from the host"
    )
