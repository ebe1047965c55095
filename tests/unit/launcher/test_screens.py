"""Screens of a real QEMU, looked at by the product's own command and by other people's clients."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import spiceclient
from lab.screen import UnreadableScreen, read_word
from tests.unit.launcher import bootsector
from tests.unit.launcher.test_life import SECONDS, Running, launch

__all__ = ["launch"]
PATIENCE = 120  # seconds: an emulated firmware comes to its disk
DRAWING = {"disks": [{"name": "root", "hostPath": {"path": "/srv/disk.img"}}]}


def shows(word: str, look: Callable[[Path], object], picture: Path) -> bool:
    """Whether the guest's word comes to be in the pictures that `look` takes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        look(picture)
        try:
            if read_word(picture) == word:
                return True
        except UnreadableScreen:
            pass
        time.sleep(0.5)
    return False


@pytest.fixture
def drawing(launch: Callable[..., Running], tmp_path: Path) -> Callable[..., Running]:
    def begin(word: str, **spec: Any) -> Running:
        bootsector.write(tmp_path / "c/volumes/root/disk", word)
        machine = launch(**DRAWING, **spec)
        machine.until(machine.paths.ready.exists)
        return machine

    return begin


@pytest.mark.parametrize("mode", ["Safe", "Disabled", "Accelerated"])
def test_a_screenshot_shows_what_the_guest_draws(drawing: Callable[..., Running], tmp_path: Path, mode: str) -> None:
    word = mode.upper()
    machine = drawing(word, graphics={"mode": mode})

    def shoot(picture: Path) -> None:
        assert machine.start("screenshot", str(picture)).wait(SECONDS) == 0

    assert shows(word, shoot, tmp_path / "s.png")


def test_vnc_shows_it_to_a_client_of_other_people(drawing: Callable[..., Running], tmp_path: Path) -> None:
    machine = drawing("BYVNC")
    vncdo = Path(sys.executable).parent / "vncdo"

    def capture(picture: Path) -> None:
        subprocess.run([vncdo, "-s", machine.paths.vnc, "capture", picture], check=True, timeout=SECONDS)

    assert shows("BYVNC", capture, tmp_path / "v.png")


def test_a_headless_machine_has_no_server_and_says_why_there_is_no_picture(
    launch: Callable[..., Running], tmp_path: Path
) -> None:
    machine = launch(graphics={"mode": "Headless"})
    machine.until(machine.paths.ready.exists)
    assert not machine.paths.vnc.exists()
    answer = machine.ask("screenshot", str(tmp_path / "s.png"))
    assert answer.returncode == 1
    assert "spec.graphics.mode is Headless" in answer.stderr
    assert "set it to Safe" in answer.stderr
    assert not (tmp_path / "s.png").exists()


def test_spice_shows_it_to_a_client_of_other_people(drawing: Callable[..., Running], tmp_path: Path) -> None:
    machine = drawing("BYSPICE", display=["spice"], audio="spice")
    assert not machine.paths.vnc.exists()
    assert shows("BYSPICE", lambda picture: spiceclient.screenshot(machine.paths.spice, picture), tmp_path / "s.ppm")


def test_spice_has_channels_for_sound_the_clipboard_and_usb_devices(launch: Callable[..., Running]) -> None:
    machine = launch(display=["spice"], audio="spice")
    machine.until(machine.paths.ready.exists)
    devices = json.loads(machine.ask("qmp", "query-chardev").stdout)
    assert {"vdagent", "redirect0", "redirect1"} <= {device["label"] for device in devices}
    server = json.loads(machine.ask("qmp", "query-spice").stdout)
    assert server["enabled"]
    assert server["auth"] == "none"
