"""The lab with libvf installed, for all that is tested on a real kernel."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import hypothesis
import pytest

from lab.demo import install
from lab.node import Node
from lab.testbed import Testbed
from tests.e2e.machines import empty

# how long an example takes says how busy the machine is, not whether the code is right
hypothesis.settings.register_profile("libvf", deadline=None)
hypothesis.settings.load_profile("libvf")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes seconds comes first, then machines of their own, then the lab, what looks back at it last."""
    items.sort(key=_late)


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Iterator[Testbed]:
    """Brought up for the session, and taken down after it unless it ran before, such as for a demo that is ended."""
    bed = Testbed()
    ran_before = bed.answers()
    with _shown(pytestconfig):
        bed.up(1)
        install(bed)
        empty(bed)
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
def shown(pytestconfig: pytest.Config) -> Callable[[], AbstractContextManager[None]]:
    """For what takes minutes."""
    return lambda: _shown(pytestconfig)


def _late(item: pytest.Item) -> tuple[bool, ...]:
    """A machine of a test's own and the lab would share two cores, if the lab were up already."""
    names = getattr(item, "fixturenames", ())
    last, e2e, integration = (bool(item.get_closest_marker(mark)) for mark in ("last", "e2e", "integration"))
    return (last, e2e, "lab" in names, integration)


def _shown(config: pytest.Config) -> AbstractContextManager[None]:
    """What takes minutes shows its progress although pytest keeps other words until a test fails."""
    shown: AbstractContextManager[None] = config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled()
    return shown
