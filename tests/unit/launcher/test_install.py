"""An unattended installation by the launcher and a real QEMU: from a CD onto a blank disk, and then from that disk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.installer.build import installer_iso
from tests.unit.launcher.test_life import Running, emulator

# it has the kernel of the lab's nodes
pytestmark = pytest.mark.e2e

DISK = {"name": "root", "size": "48Mi", "changes": "Keep"}
CD = {"name": "setup", "image": {"reference": "example/installer:1"}}
INSTALL = {"install": {"iso": "setup", "disk": "root"}, "cdroms": [CD], "graphics": {"mode": "Disabled"}}
SECONDS = 300  # 10 s on an idle machine
Begin = Callable[..., Running]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Starts the machine in a Pod of its own; what is kept is the same in all of them."""
    emulator(monkeypatch)
    keep = tmp_path / "keep"
    keep.mkdir()
    started: list[Running] = []

    def machine(**spec: Any) -> Running:
        root = tmp_path / f"pod-{len(started)}"
        (root / "volumes/setup").mkdir(parents=True)
        (root / "volumes/setup/disk.img").symlink_to(installer_iso())
        (root / "var/lib").mkdir(parents=True)
        (root / "var/lib/libvf-keep").symlink_to(keep)
        body = {"memory": {"size": "192Mi"}, "state": {"size": "1Gi"}, "disks": [DISK], **spec}
        started.append(Running(root, **body, firmware={"oemStrings": ["libvf.word=SEVEN"]}))
        return started[-1]

    yield machine
    for each in started:
        each.kill()


def test_a_blank_disk_is_installed_onto_and_boots_before_the_cd_and_without_it(
    begin: Begin, capfd: pytest.CaptureFixture[str]
) -> None:
    said = Said(capfd)
    code, told = begin(**INSTALL).end(SECONDS)
    assert (code, told.reason) == (0, "GuestShutdown")
    assert said.has("libvf-installer: done")
    # the installer's own reboot, or a status that was lost: what is installed is not installed over
    again = begin(**INSTALL)
    again.until(lambda: said.has("libvf-installed: up SEVEN start 1"), SECONDS)
    assert again.start("qmp", "system_powerdown").wait(SECONDS) == 0
    assert again.end(SECONDS)[1].reason == "GuestShutdown"
    last = begin()
    last.until(lambda: said.has("libvf-installed: up SEVEN start 2"), SECONDS)


class Said:
    """All that guests have said on their serial consoles."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd, self._text = capfd, ""

    def has(self, words: str) -> bool:
        """Whether they said this."""
        self._text += self._capfd.readouterr().out
        return words in self._text
