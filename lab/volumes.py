"""Storage for claims: a folder of a node as a PersistentVolume of the kind `local`, for one claim by name.

What a cluster has a provisioner for is made by hand here; who makes a volume is no concern of what is tested.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from lab.errors import LabError
from lab.testbed import Testbed

CLASS = "local"


@contextmanager
def local_volume(lab: Testbed, claim: str, node: str = "n1", size: str = "1Gi") -> Iterator[None]:
    """A volume for the claim of that name in the default namespace; it goes at the end, with what is on it."""
    folder = f"/var/lib/volumes/{claim}"
    made = lab.node(node).execute(["mkdir", "-p", folder])
    if made.returncode:
        raise LabError(f"{folder} on {node}: {made.stderr.decode().strip()}")
    lab.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([_storage_class(), _volume(claim, folder, node, size)]))
    try:
        yield
    finally:
        lab.kubectl("delete", "pvc", claim, "--ignore-not-found", "--wait", "--timeout=60s")
        lab.kubectl("delete", "pv", claim, "--wait", "--timeout=60s")
        lab.node(node).execute(["rm", "-rf", folder])


def claimed(claim: str, size: str = "1Gi") -> str:
    """A claim for such a volume, as YAML."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": CLASS,
        "resources": {"requests": {"storage": size}},
    }
    meta = {"name": claim, "namespace": "default"}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec})


def _storage_class() -> dict[str, object]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _volume(claim: str, folder: str, node: str, size: str) -> dict[str, object]:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": claim},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": CLASS,
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": "default", "name": claim},
            "local": {"path": folder},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
        },
    }
