"""The lab with libvf installed, for all that is tested on a real kernel."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import hypothesis
import pytest

from lab.demo import install
from lab.node import Node
from lab.testbed import Testbed
from tests import workers
from tests.e2e.machines import empty

# how long an example takes says how busy the machine is, not whether the code is right
hypothesis.settings.register_profile("libvf", deadline=None)
hypothesis.settings.load_profile("libvf")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes seconds comes first, then machines of their own, then the lab, what looks back at it last.

    Workers take what is long first, so that they end together.
    """
    items.sort(key=_late, reverse=workers.several())
    items.sort(key=lambda item: bool(item.get_closest_marker("last")))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Tell the other workers."""
    workers.finished(nodeid)


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Iterator[Testbed]:
    """Brought up for the session, and taken down after it unless it ran before, such as for a demo that is ended."""
    bed = Testbed()
    ran_before = bed.answers()
    with _shown(pytestconfig):
        bed.up(1)
        install(bed)
        empty(bed)
    workers.has_lab(bed.directory)
    yield bed
    if not ran_before:
        with _shown(pytestconfig):
            bed.down()


@pytest.fixture(scope="module")
def two_nodes(lab: Testbed, pytestconfig: pytest.Config) -> Iterator[Testbed]:
    """A second node for a module's tests: it costs the first one much of its speed."""
    with _shown(pytestconfig):
        lab.up(2)
        install(lab)
    yield lab
    lab.remove("n2")


@pytest.fixture(scope="module")
def numa_node(lab: Testbed, pytestconfig: pytest.Config) -> Iterator[Node]:
    """A node with two NUMA nodes, for a module's tests."""
    with _shown(pytestconfig):
        node = lab.up_numa()
        install(lab)
    yield node
    lab.remove(node.name)


@pytest.fixture(scope="session")
def everything_else(request: pytest.FixtureRequest) -> None:
    """All tests but the last ones have run, on whichever worker."""
    workers.wait_for(item.nodeid for item in request.session.items if not item.get_closest_marker("last"))


@pytest.fixture(scope="session")
def shown(pytestconfig: pytest.Config) -> Callable[[], AbstractContextManager[None]]:
    """For what takes minutes."""
    return lambda: _shown(pytestconfig)


def _late(item: pytest.Item) -> tuple[bool, ...]:
    """A machine of a test's own and the lab would share two cores, if the lab were up already."""
    names = getattr(item, "fixturenames", ())
    e2e, integration = (bool(item.get_closest_marker(mark)) for mark in ("e2e", "integration"))
    return (e2e, "lab" in names, integration)


def _group(item: pytest.Item) -> str:
    """What one worker runs in one go: a file, on the fake and on the real kernel apart, or all that share a server."""
    if item.get_closest_marker("integration"):
        return "integration"
    return f"{item.path.name}, {'real' if item.get_closest_marker('e2e') else 'fake'}"


def _shown(config: pytest.Config) -> AbstractContextManager[None]:
    """What takes minutes shows its progress although pytest keeps other words until a test fails."""
    shown: AbstractContextManager[None] = config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled()
    return shown
