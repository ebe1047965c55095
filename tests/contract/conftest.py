"""The kernel the contract suite runs on: the fake always, the real one where LIBVF_REAL_KERNEL=1 says so."""

import os
from collections.abc import Iterator

import pytest
from libvf_agent.sysfs import Files, HostFiles

from tests.contract.fakekernel import FakeKernel, mbochs, mdpy, mtty

REAL = os.environ.get("LIBVF_REAL_KERNEL") == "1"


@pytest.fixture(params=["fake", "real"] if REAL else ["fake"])
def kernel(request: pytest.FixtureRequest) -> Iterator[Files]:
    """A host with mdpy, mbochs and mtty and nothing carved."""
    files: Files = FakeKernel([mdpy(), mbochs(), mtty()]) if request.param == "fake" else HostFiles("/")
    yield files
    for uuid in files.names("sys/bus/mdev/devices"):
        files.write(f"sys/bus/mdev/devices/{uuid}/remove", "1")
