"""A real API server, scheduler and controller manager on the loopback, with our resources applied."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.binaries import binaries
from lab.controlplane import ControlPlane

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Api:
    """The API server by kubectl."""

    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl; the result carries what it printed and its code."""
        argv = [str(binaries() / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    plane = ControlPlane(tmp_path_factory.mktemp("controlplane"), binaries(), "127.0.0.1", 26443, 22379)
    plane.start()
    server = Api(plane.kubeconfig)
    applied = server.kubectl("apply", "-k", str(REPOSITORY / "crds"))
    assert applied.returncode == 0, applied.stderr
    _served(server)
    yield server
    plane.stop()


def _served(server: Api) -> None:
    """CRDs are served a moment after they are accepted."""
    for _ in range(100):
        if server.kubectl("get", "vfvm,gpart").returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError("the CRDs are not served")
