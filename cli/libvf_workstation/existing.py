"""A cluster that is there already (k3s, kubeadm): what it must have, and our manifests applied to it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from libvf_workstation.errors import CommandFailed
from libvf_workstation.host import Host

MINOR = 36
CONTAINERD = 2
# where k3s, kubeadm and people keep the administrator's; KUBECONFIG comes before them
_PLACES = ("etc/rancher/k3s/k3s.yaml", "etc/kubernetes/admin.conf", "root/.kube/config")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a cluster says of itself: its version, the API groups and versions that it serves, its nodes."""

    version: str
    served: frozenset[str]
    nodes: Sequence[Mapping[str, Any]]


def missing(answer: Answer) -> list[str]:
    """All that libvf needs and this cluster lacks, each with its cure. Pure."""
    found = []
    number = re.match(r"v?1\.([0-9]+)", answer.version)
    if not number or int(number[1]) < MINOR:
        found.append(f"Kubernetes is {answer.version} and 1.{MINOR} is needed: upgrade it")
    if "resource.k8s.io/v1" not in answer.served:
        found.append("the API server does not serve resource.k8s.io/v1 (DRA): leave it out of --runtime-config")
    if not answer.nodes:
        found.append("there is no node: join one")
    return found + [words for node in answer.nodes for words in _node(node)]


def _node(node: Mapping[str, Any]) -> Iterable[str]:
    name = node["metadata"]["name"]
    runtime = node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", "")
    number = re.match(r"containerd://v?([0-9]+)", runtime)
    if not number:
        yield f"node {name} has {runtime or 'no runtime yet'}: libvf is proved with containerd {CONTAINERD} alone"
    elif int(number[1]) < CONTAINERD:
        yield f"node {name} has {runtime}, which has CDI turned off: upgrade to containerd {CONTAINERD}"
    conditions = node.get("status", {}).get("conditions", [])
    if not any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
        yield f"node {name} is not Ready: kubectl describe node {name} says why"


def find(host: Host, given: Path | None) -> Path | None:
    """The kubeconfig of a cluster that answers; the one that was named must."""
    if given:
        _kubectl(host, given, "get", "--raw", "/readyz")
        return given
    named = [Path(part) for part in os.environ.get("KUBECONFIG", "").split(":") if part]
    for place in (*named, *(host.layout.root / name for name in _PLACES)):
        if place.is_file() and place != host.layout.kubeconfig and _answers(host, place):
            return place
    return None


def ask(host: Host, kubeconfig: Path) -> Answer:
    """Asks a cluster."""
    version = json.loads(_kubectl(host, kubeconfig, "version", "-o", "json"))
    return Answer(
        version=version["serverVersion"]["gitVersion"],
        served=frozenset(_kubectl(host, kubeconfig, "api-versions").split()),
        nodes=json.loads(_kubectl(host, kubeconfig, "get", "nodes", "-o", "json"))["items"],
    )


def apply(host: Host, kubeconfig: Path, overlay: Path) -> None:
    """Our manifests, as they are in the folder."""
    _kubectl(host, kubeconfig, "apply", "-k", str(overlay))


def remove(host: Host, kubeconfig: Path, overlay: Path) -> None:
    """Machines, slices and policies first, as only our own programs can give slices back; then the manifests."""
    for kind, options in (("vfvm", ["--all-namespaces"]), ("gpart", ["--all-namespaces"]), ("gpol", [])):
        try:
            _kubectl(host, kubeconfig, "delete", kind, "--all", "--timeout=300s", *options)
        except CommandFailed as error:
            if "the server doesn't have a resource type" not in str(error):
                raise
    _kubectl(host, kubeconfig, "delete", "-k", str(overlay), "--ignore-not-found")


def _answers(host: Host, kubeconfig: Path) -> bool:
    try:
        _kubectl(host, kubeconfig, "get", "--raw", "/readyz", "--request-timeout=5s")
    except CommandFailed:
        return False
    return True


def _kubectl(host: Host, kubeconfig: Path, *arguments: str) -> str:
    try:
        return host.run(["kubectl", f"--kubeconfig={kubeconfig}", *arguments])
    except CommandFailed as error:
        if "there is no program kubectl" in str(error):
            return host.run(["k3s", "kubectl", f"--kubeconfig={kubeconfig}", *arguments])
        raise
