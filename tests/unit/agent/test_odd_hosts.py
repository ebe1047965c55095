"""Hosts whose files say anything, or nothing: the agent offers what is sound and never falls over.

The seed is printed; LIBVF_SEED repeats a run.
"""

from __future__ import annotations

import errno
import json
import random
from pathlib import Path

import pytest
from libvf_agent.backends.known import known
from libvf_agent.doors import Doors
from libvf_agent.host import Host, Places
from libvf_agent.slices import Node
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.host import BOOT_ID, FakeHost
from tests.fakekernel.situations import SITUATIONS
from tests.fakekernel.tree import fail
from tests.unit.agent.test_fuzz import SEED, odd

HOSTS = 150
ERRORS = (errno.EIO, errno.EACCES, errno.ENODEV, errno.ENXIO, errno.EUCLEAN, errno.ENOENT, errno.EPERM)


class OddFiles:
    """The files of a host, of which one in `rarely` is not as it should be."""

    def __init__(self, host: FakeHost, dice: random.Random, rarely: int) -> None:
        self._host = host
        self._dice = dice
        self._rarely = rarely

    def read(self, path: str) -> str:
        text = self._host.read(path)
        if path == BOOT_ID or self._dice.randrange(self._rarely):
            return text
        if self._dice.randrange(3) == 0:
            raise fail(self._dice.choice(ERRORS), path)
        return odd(text, self._dice)

    def names(self, path: str) -> list[str]:
        names = self._host.names(path)
        if names and not self._dice.randrange(self._rarely):
            names[self._dice.randrange(len(names))] = odd(self._dice.choice(names), self._dice).replace("/", "")
        return sorted(set(names))

    def link(self, path: str) -> str:
        if not self._dice.randrange(self._rarely):
            raise fail(self._dice.choice(ERRORS), path)
        return self._host.link(path)

    def real(self, path: str) -> str:
        return self._host.real(path)

    def exists(self, path: str) -> bool:
        return self._host.exists(path)

    def ask(self, argv: tuple[str, ...]) -> str:
        text = self._host.ask(argv)
        return text if self._dice.randrange(self._rarely) else odd(text, self._dice)

    def macs(self, link: str) -> list[str]:
        return [odd(mac, self._dice) for mac in self._host.macs(link)]

    def set_mac(self, link: str, number: int, mac: str) -> None:
        raise AssertionError(f"looking set {mac} on {link}")

    def write(self, path: str, value: str) -> None:
        raise AssertionError(f"looking wrote {value!r} to {path}")

    def run(self, argv: tuple[str, ...]) -> None:
        raise AssertionError(f"looking ran {argv}")


@pytest.mark.parametrize("name", SITUATIONS)
def test_whatever_the_files_say_what_is_offered_is_sound(name: str, tmp_path: Path) -> None:
    print(f"LIBVF_SEED={SEED}")
    dice, situation = random.Random(f"{SEED}/{name}"), SITUATIONS[name]
    kernel, offered = situation.host(), 0
    for number in range(HOSTS):
        files = OddFiles(kernel, dice, rarely=dice.choice((3, 10, 40)))
        places = Places(tmp_path / str(number), tmp_path, tmp_path)
        host = Host(
            "n1", Doors(Sysfs(files), accelerated=lambda: True, tap=lambda: None), known(), places, situation.rules
        )
        for _ in range(2):
            for spec in host.look(Node("n1", "uid"))[0]:
                offered += len(spec.get("devices", []))
                _sound(spec)
    assert offered > HOSTS * 2, "nothing but kvm was ever offered"


def _sound(spec: dict) -> None:  # type: ignore[type-arg]
    """What the API server would take."""
    json.dumps(spec)
    devices = spec.get("devices", [])
    assert len(devices) <= 64
    assert len({device["name"] for device in devices}) == len(devices)
    for device in devices:
        assert len(device["name"]) <= 63
        assert all(c.isascii() and (c.isalnum() or c == "-") for c in device["name"]), device["name"]
        assert not device["name"].startswith("-")
        for attribute in device.get("attributes", {}).values():
            assert len(str(attribute.get("string", ""))) <= 64
