"""Every test begins with none of our resources and leaves none."""

from collections.abc import Iterator

import pytest

from lab.testbed import Testbed
from tests.e2e.machines import empty


@pytest.fixture
def bed(lab: Testbed) -> Iterator[Testbed]:
    empty(lab)
    yield lab
    empty(lab)
