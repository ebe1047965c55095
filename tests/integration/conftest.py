"""A real API server, scheduler and controller manager on the loopback, with libvf's manifests applied."""

from collections.abc import Iterator

import pytest

from lab.loopback import REPOSITORY, Api, control_plane

__all__ = ["REPOSITORY", "Api"]


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with control_plane(tmp_path_factory.mktemp("controlplane")) as server:
        yield server
