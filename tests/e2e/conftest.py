"""The lab with two nodes and libvf installed; every test begins with none of our resources and leaves none."""

from collections.abc import Iterator

import pytest

from lab.demo import install
from lab.testbed import Testbed


@pytest.fixture(scope="session")
def running() -> Testbed:
    bed = Testbed()
    bed.up(2)
    install(bed)
    return bed


@pytest.fixture
def bed(running: Testbed) -> Iterator[Testbed]:
    _empty(running)
    yield running
    _empty(running)


def _empty(bed: Testbed) -> None:
    bed.kubectl("delete", "vfvm,gpart,pods", "--all", "--wait", "--timeout=180s")
