"""Killed at any moment: `--undo` gives the host back as it was, `--yes` finishes, whichever comes next."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from libvf_agent.preparation.manifest import STATE

from tests.unit.agent.preparation.hosts import INTEL_UHD, NVIDIA_A2, Host, make
from tests.unit.agent.preparation.preparing import prepare, take_back
from tests.unit.agent.preparation.test_apply import EVERYTHING

LAYOUTS = ("debian", "pop", "fedora")
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.truncate"}


class Killed(BaseException):
    """The process ends here; nothing in it may catch this."""


class Clock:
    """Counts what changes the disk, and kills before the n-th: each is seen by Python's audit hook."""

    left: int | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if Clock.left is None:
        return
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in _CHANGES:
        Clock.left -= 1
        if Clock.left < 0:
            Clock.left = None
            raise Killed


sys.addaudithook(_hook)


@contextmanager
def killed(before: int) -> Iterator[list[bool]]:
    """Kills before change number `before`; the list holds whether it came so far."""
    happened: list[bool] = []
    Clock.left = before
    try:
        yield happened
    except Killed:
        happened.append(True)
    finally:
        Clock.left = None


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies, the disk does not: syncing would only take time."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def fresh(folder: Path, layout: str) -> Host:
    some = make(folder, layout, "intel", (NVIDIA_A2, INTEL_UHD), etc__group="root:x:0:\n")
    some.write("usr/lib/udev/rules.d/50-udev-default.rules", 'KERNEL=="kvm", GROUP="kvm", MODE="0666"\n')
    return some


@pytest.mark.parametrize("layout", LAYOUTS)
def test_killed_while_it_is_prepared(tmp_path: Path, layout: str) -> None:
    some = fresh(tmp_path, layout)
    before = some.tree()
    prepare(some, EVERYTHING)
    after = some.tree(without=STATE)
    take_back(some)
    moment, happened = 0, [True]
    while happened:
        with killed(moment) as happened:
            prepare(some, EVERYTHING)
        take_back(some)
        assert some.tree() == before, f"taken back after a kill at {moment}"
        with killed(moment):
            prepare(some, EVERYTHING)
        prepare(some, EVERYTHING)
        assert some.tree(without=STATE) == after, f"finished after a kill at {moment}"
        take_back(some)
        assert some.tree() == before, f"finished and taken back after a kill at {moment}"
        moment += 1
    assert moment > 50, "the kills came nowhere"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_killed_while_it_is_taken_back(tmp_path: Path, layout: str) -> None:
    some = fresh(tmp_path, layout)
    before = some.tree()
    prepare(some, EVERYTHING)
    after = some.tree(without=STATE)
    moment, happened = 0, [True]
    while happened:
        with killed(moment) as happened:
            take_back(some)
        prepare(some, EVERYTHING)
        assert some.tree(without=STATE) == after, f"prepared after a kill at {moment} of taking back"
        with killed(moment):
            take_back(some)
        take_back(some)
        assert some.tree() == before, f"taken back after a kill at {moment}"
        prepare(some, EVERYTHING)
        moment += 1
    assert moment > 50, "the kills came nowhere"


def test_killed_while_a_second_run_adds_more_and_again_while_that_is_taken_back(tmp_path: Path) -> None:
    some = fresh(tmp_path, "debian")
    before = some.tree()
    moment, happened = 0, [True]
    while happened:
        prepare(some)
        with killed(moment) as happened:
            prepare(some, EVERYTHING)
        with killed(moment // 2):
            take_back(some)
        take_back(some)
        assert some.tree() == before, f"taken back after a kill at {moment}"
        moment += 1
    assert moment > 20, "the kills came nowhere"
