"""kubectl against an API server that has just started on a slow host."""

from dataclasses import dataclass, field

import pytest
from libvf_workstation.errors import CommandFailed
from libvf_workstation.host import Host
from libvf_workstation.layout import Layout

BUSY = "Error from server (Timeout): Timeout: request did not complete within requested timeout"
WRONG = 'error: resource mapping not found for name: "x": no matches for kind "Y"'


@dataclass(frozen=True, slots=True)
class Answering(Host):
    """kubectl fails with these words in turn, and then no more."""

    failures: list[str] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        self.asked.append(arguments)
        if self.failures:
            raise CommandFailed(["kubectl", *arguments], 1, self.failures.pop(0))
        return ""


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("libvf_workstation.host.time.sleep", slept.append)
    return slept


def test_an_apply_is_repeated_while_the_server_is_too_busy(pauses: list[float]) -> None:
    host = Answering(Layout(), [BUSY, BUSY])
    host.apply("-k", "overlay")
    assert host.asked == [("apply", "-k", "overlay")] * 3
    assert pauses == [5.0, 10.0]


def test_a_server_that_stays_busy_is_given_up(pauses: list[float]) -> None:
    with pytest.raises(CommandFailed, match="did not complete"):
        Answering(Layout(), [BUSY] * 9).apply("-k", "overlay")
    assert sum(pauses) == 65


def test_what_is_wrong_is_not_tried_again(pauses: list[float]) -> None:
    host = Answering(Layout(), [WRONG])
    with pytest.raises(CommandFailed, match="no matches for kind"):
        host.apply("-f", "-", stdin="kind: Y")
    assert (len(host.asked), pauses) == (1, [])
