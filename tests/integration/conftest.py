"""A real API server, scheduler and controller manager on the loopback, with libvf's manifests applied."""

from collections.abc import Iterator

import pytest

from lab.loopback import PORT, REPOSITORY, Api, control_plane

__all__ = ["REPOSITORY", "Api"]


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Api]:
    """One for each process of a parallel run, whose name is gw0, gw1, or master where there is one alone."""
    port = PORT + 10 * int(worker_id.removeprefix("gw") if worker_id != "master" else 0)
    with control_plane(tmp_path_factory.mktemp("controlplane"), port) as server:
        yield server
