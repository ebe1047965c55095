"""Hosts to prepare."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.agent.preparation.hosts import Host, make

Make = Callable[..., Host]


@pytest.fixture
def host(tmp_path: Path) -> Make:
    """Makes a host: `host("debian", "amd", cards=(..))`."""

    def made(layout: str, cpu: str = "intel", cards: tuple[str, ...] = (), **files: str) -> Host:
        return make(tmp_path / "root", layout, cpu, cards, **files)

    return made
