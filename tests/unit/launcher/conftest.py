"""A container's root with what kubelet and the agent put there: the launch document and the devices' metadata."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from libvf_api import metadata
from libvf_launcher.paths import Paths

UID = "5f0c3a52-3a3d-4a6b-9d6e-0d8a4c6b1e11"
MDEV = "9c7d2a14-6f0e-5b67-8f0b-2a6c1d3e4f50"
KVM = {"claim": "demo-kvm", "request": "kvm"}
GPU = {"name": "gpu0", "claim": "demo-gpu0", "request": "gpu"}


class Container:
    """The launcher's file system below a folder; what is not given is absent, as in a Pod."""

    def __init__(self, root: Path) -> None:
        self.paths = Paths(root)
        for folder in (self.paths.machine.parent, self.paths.run, self.paths.state, self.paths.termination.parent):
            folder.mkdir(parents=True)

    def machine(self, spec: dict[str, Any], gpus: list[dict[str, str]] | None = None) -> None:
        """Write the launch document as the downward API does."""
        document = {"name": "demo", "namespace": "default", "uid": UID, "spec": spec, "gpus": gpus or [], "kvm": KVM}
        self.paths.machine.write_text(json.dumps(document))

    def device(self, claim: str, request: str, **attributes: str | bool) -> None:
        """Write a claim's metadata file as the agent does."""
        named = {
            key.replace("__", "/"): {"bool": value} if isinstance(value, bool) else {"string": value}
            for key, value in attributes.items()
        }
        device = {"driver": "libvf.io", "pool": "n1", "name": "device-0", "attributes": named}
        document = {
            "apiVersion": "metadata.resource.k8s.io/v1beta1",
            "kind": "DeviceMetadata",
            "requests": [{"name": request, "devices": [device]}],
        }
        file = metadata.path(claim, request, self.paths.root)
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(document) + "\n")


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


@pytest.fixture
def emulated(container: Container) -> Container:
    """A container on a node without KVM."""
    container.device("demo-kvm", "kvm", accelerated=False)
    return container


Run = Callable[[dict[str, Any]], Any]
