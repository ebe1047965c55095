"""The kernels that the contract suite runs on: the fake, and the real one of a lab node."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from libvf_agent.sysfs import Files

from tests.contract.nodekernel import NodeKernel
from tests.fakekernel.cards import mbochs, mdpy, mtty
from tests.fakekernel.mdev import MediatedHost
from tests.fakekernel.situations import SITUATIONS


class Kernel(Files, Protocol):
    """A file tree, and what the suite does beside it."""

    def held(self, uuid: str) -> AbstractContextManager[None]: ...


@pytest.fixture(scope="module")
def node_kernel(request: pytest.FixtureRequest) -> Iterator[NodeKernel]:
    """One connection for a whole module: each costs a second under emulation."""
    kernel = NodeKernel(request.getfixturevalue("lab"), "n1")
    yield kernel
    kernel.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.e2e)])
def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """A host with mdpy, mbochs and mtty and nothing carved."""
    real = request.param == "real"
    files: Kernel = request.getfixturevalue("node_kernel") if real else MediatedHost(mdpy(), mbochs(), mtty())
    _clear(files)
    yield files
    _clear(files)


def _clear(files: Kernel) -> None:
    for uuid in files.names("sys/bus/mdev/devices"):
        files.write(f"sys/bus/mdev/devices/{uuid}/remove", "1")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What no kernel at hand can do is said at the end of every run."""
    fake = ", ".join(name for name, situation in SITUATIONS.items() if not situation.real)
    terminalreporter.write_line(f"carved on the fake kernel only, as no such card is at hand: {fake}")
