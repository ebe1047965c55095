"""Reading from the lab's API server without a kubectl each time: a test that waits asks again and again."""

import base64
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import yaml

from lab.errors import LabError

_PATHS = {
    "vfvm": "/apis/libvf.io/v1alpha1/namespaces/{namespace}/virtualmachines",
    "gpart": "/apis/libvf.io/v1alpha1/namespaces/{namespace}/gpupartitions",
    "gpol": "/apis/libvf.io/v1alpha1/gpupolicies",
    "resourceclaim": "/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims",
    "event": "/api/v1/namespaces/{namespace}/events",
    "pod": "/api/v1/namespaces/{namespace}/pods",
    "service": "/api/v1/namespaces/{namespace}/services",
    "node": "/api/v1/nodes",
    "lease": "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    "resourceslice": "/apis/resource.k8s.io/v1/resourceslices",
}


@dataclass(frozen=True, slots=True)
class Api:
    """The API server of a kubeconfig, as its one user."""

    kubeconfig: Path

    def get(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any]:
        """One object by kubectl's short name of its kind; raises LabError where there is none."""
        return self._read(f"{_PATHS[kind].format(namespace=namespace)}/{name}")

    def list(self, kind: str, namespace: str = "default") -> list[dict[str, Any]]:
        """All objects of a kind."""
        return list(self._read(_PATHS[kind].format(namespace=namespace)).get("items") or [])

    def _read(self, path: str) -> dict[str, Any]:
        settings = yaml.safe_load(self.kubeconfig.read_text())
        cluster, user = settings["clusters"][0]["cluster"], settings["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        request = Request(cluster["server"] + path, headers={"Authorization": f"Bearer {user['token']}"})
        try:
            with urlopen(request, timeout=15, context=ssl.create_default_context(cadata=authority)) as answer:
                document: dict[str, Any] = json.load(answer)
                return document
        except HTTPError as error:
            raise LabError(f"{path}: {json.load(error).get('message', error)}") from error
        except (URLError, OSError) as error:
            raise LabError(f"{path}: no answer from the lab's API server: {error}: is the lab up?") from error
