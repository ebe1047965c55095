"""Every test begins with none of our resources and leaves none."""

from collections.abc import Iterator

import pytest

from lab.testbed import Testbed


@pytest.fixture
def bed(lab: Testbed) -> Iterator[Testbed]:
    _empty(lab)
    yield lab
    _empty(lab)


def _empty(bed: Testbed) -> None:
    bed.kubectl("delete", "vfvm,gpart,pods", "--all", "--wait", "--timeout=180s")
