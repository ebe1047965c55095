"""A control plane on the loopback with libvf's manifests and no node, and the operator's program against it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.binaries import binaries
from lab.controlplane import ControlPlane
from lab.errors import CommandFailed, LabError

REPOSITORY = Path(__file__).resolve().parent.parent
PORT = int(os.environ.get("LIBVF_INTEGRATION_PORT", "26443"))
_SERVED = (("vfvm,gpart",), ("serviceaccount", "default"))


@dataclass(frozen=True, slots=True)
class Api:
    """The API server by kubectl."""

    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl; the result carries what it printed and its code."""
        return subprocess.run(self._argv(arguments), input=stdin, capture_output=True, text=True)

    def done(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl, which must succeed; returns what it printed."""
        answer = self.kubectl(*arguments, stdin=stdin)
        if answer.returncode:
            raise CommandFailed(self._argv(arguments), answer.returncode, answer.stderr)
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

    def _argv(self, arguments: tuple[str, ...]) -> list[str]:
        return [str(binaries() / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]


def plane(folder: Path, port: int = PORT, schedules: bool = True) -> ControlPlane:
    """All four programs, or three where nobody schedules; etcd is 4064 ports below, and its peers one above that.

    A node that is only an object stays as it says it is, as nobody watches its lease.
    """
    controllers = "*,-node-lifecycle-controller"
    return ControlPlane(folder, binaries(), "127.0.0.1", port, port - 4064, (), controllers, schedules)


@contextmanager
def control_plane(folder: Path, port: int = PORT, schedules: bool = True) -> Iterator[Api]:
    """A control plane with what libvf puts into a cluster, but for the workloads, which would need a node."""
    programs = plane(folder, port, schedules)
    try:
        programs.start()
        api = Api(programs.kubeconfig)
        api.done("apply", "-k", str(REPOSITORY / "manifests" / "base"))
        api.done("-n", "libvf-system", "delete", "deployment,daemonset", "--all")
        # an API that nobody serves makes every kubectl warn; the gateway's own tests register it
        api.done("delete", "apiservice", "v1alpha1.subresources.libvf.io")
        _served(api)
        yield api
    finally:
        programs.stop()


@contextmanager
def operator(api: Api, folder: Path, liveness: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The operator's program under its own service account, with just the rights of the manifests; its log is
    `folder`/log, and `liveness` the port that it answers on.
    """
    token = api.done("-n", "libvf-system", "create", "token", "libvf-operator", "--duration=24h").strip()
    kubeconfig = yaml.safe_load(api.kubeconfig.read_text())
    kubeconfig["users"][0]["user"] = {"token": token}
    (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    environment = {
        **os.environ,
        "KUBECONFIG": str(folder / "kubeconfig"),
        "LIBVF_LIVENESS": f"http://127.0.0.1:{liveness}/healthz",
        **settings,
    }
    with (folder / "log").open("w") as log:
        argv = [sys.executable, "-m", "libvf_operator"]
        process = subprocess.Popen(argv, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield process
        if process.poll() is not None:
            raise LabError(f"the operator ended with {process.returncode}:\n{(folder / 'log').read_text()[-3000:]}")
    finally:
        process.terminate()
        process.wait(30)
    if "forbidden" in (text := (folder / "log").read_text()):
        raise LabError(f"the operator was refused something:\n{text[-3000:]}")


def _served(api: Api) -> None:
    """CRDs are served a moment after they are accepted; Pods are refused before their service account is made."""
    for _ in range(100):
        if all(api.kubectl("get", *what).returncode == 0 for what in _SERVED):
            return
        time.sleep(0.2)
    raise LabError("the API server does not serve the CRDs, or nobody makes the service account")
