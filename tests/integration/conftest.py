"""A real API server, scheduler and controller manager on the loopback, with libvf's manifests applied."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.binaries import binaries
from lab.controlplane import ControlPlane

REPOSITORY = Path(__file__).resolve().parents[2]
PORT = int(os.environ.get("LIBVF_INTEGRATION_PORT", "26443"))
ETCD_PORT = PORT - 4064  # 22379; and the one above it, for etcd's peers


@dataclass(frozen=True, slots=True)
class Api:
    """The API server by kubectl."""

    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl; the result carries what it printed and its code."""
        argv = [str(binaries() / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True)

    def done(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl, which must succeed; returns what it printed."""
        answer = self.kubectl(*arguments, stdin=stdin)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One object of the default namespace; empty where there is none."""
        text = self.done("get", kind, name, "-o", "json", "--ignore-not-found")
        document: dict[str, Any] = json.loads(text) if text else {}
        return document

    def apply(self, *documents: dict[str, Any]) -> None:
        """Server-side apply of whole documents."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.done("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(items))


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("controlplane")
    controllers = "*,-node-lifecycle-controller"
    plane = ControlPlane(folder, binaries(), "127.0.0.1", PORT, ETCD_PORT, controllers=controllers)
    try:
        plane.start()
        server = Api(plane.kubeconfig)
        server.done("apply", "-k", str(REPOSITORY / "manifests" / "base"))
        server.done("-n", "libvf-system", "delete", "deployment,daemonset", "--all")
        # an API that nobody serves makes every kubectl warn; the gateway's own tests register it
        server.done("delete", "apiservice", "v1alpha1.subresources.libvf.io")
        _served(server)
        yield server
    finally:
        plane.stop()


def _served(server: Api) -> None:
    """CRDs are served a moment after they are accepted; Pods are refused before their service account is made."""
    for _ in range(100):
        if all(
            server.kubectl("get", *what).returncode == 0 for what in (("vfvm,gpart",), ("serviceaccount", "default"))
        ):
            return
        time.sleep(0.2)
    raise AssertionError("the API server does not serve the CRDs, or nobody makes the service account")
