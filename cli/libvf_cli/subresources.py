"""What the gateway serves of a VM beside its object, such as its screen; by kubectl, with the user's rights."""

from __future__ import annotations

from libvf_api import names

from libvf_cli import machines
from libvf_cli.errors import Forbidden, KubectlFailed, NotFound
from libvf_cli.kubectl import Json, Kubectl

BASE = f"/apis/{names.SUBRESOURCES_GROUP}/{names.VERSION}"


def path(machine: Json, name: str) -> str:
    """The address of a subresource below the API server's own."""
    meta = machine["metadata"]
    return f"{BASE}/namespaces/{meta['namespace']}/{names.MACHINES}/{meta['name']}/{name}"


def pause(kubectl: Kubectl, machine: Json, paused: bool) -> None:
    """Stops or continues the guest's CPUs; by the gateway, else by exec in its Pod."""
    name, command = ("pause", "stop") if paused else ("unpause", "cont")
    try:
        kubectl.fetch("replace", "--raw", path(machine, name), "--filename=-", stdin="{}")
    except KubectlFailed as error:
        _by_exec(kubectl, machine, error, "qmp", command)


def screenshot(kubectl: Kubectl, machine: Json) -> bytes:
    """The screen as PNG; by the gateway, else by exec in its Pod."""
    try:
        return kubectl.fetch("get", "--raw", path(machine, "screenshot"))
    except KubectlFailed as error:
        return _by_exec(kubectl, machine, error, "screenshot", "-")


def exec_argv(machine: Json, *command: str) -> tuple[str, ...]:
    """kubectl's arguments to run the launcher's own command in a VM's Pod."""
    where = (machines.pod(machine), f"--namespace={machine['metadata']['namespace']}")
    return ("exec", *where, f"--container={names.LAUNCHER_CONTAINER}", "--", "libvf-launcher", *command)


def absent(error: KubectlFailed) -> str:
    """Why the gateway did not serve, with the cure; empty where it did and said no itself."""
    words = str(error)
    if isinstance(error, Forbidden):
        return "you may not use the gateway's subresource: ask for a role with subresources.libvf.io in this namespace"
    if isinstance(error, NotFound) and "requested resource" in words:
        return "the gateway is not installed: kubectl apply -k manifests/overlays/default"
    if "(ServiceUnavailable)" in words or "unable to handle the request" in words:
        return "the gateway does not answer: kubectl --namespace=libvf-system get pods"
    return ""


def _by_exec(kubectl: Kubectl, machine: Json, error: KubectlFailed, *command: str) -> bytes:
    why = absent(error)
    if not why:
        raise error
    try:
        return kubectl.fetch(*exec_argv(machine, *command))
    except Forbidden as refused:
        raise Forbidden(f"{why}; and without it the right to create pods/exec is needed: {refused}") from refused
