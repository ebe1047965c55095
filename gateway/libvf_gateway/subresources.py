"""What can be asked of a VM, and how each is carried out. Pure.

Everything in the launcher is done by exec of its own program with the words listed here, and admission holds the
gateway to them (manifests/base/gateway-admission.yaml).
"""

from collections.abc import Callable
from dataclasses import dataclass

from libvf_api import names, running
from libvf_api.running import Change, Object

VERSION = "v1alpha1"
GROUP_VERSION = f"{names.SUBRESOURCES_GROUP}/{VERSION}"
BASE = f"/apis/{GROUP_VERSION}"


@dataclass(frozen=True, slots=True)
class Subresource:
    """`verb` is what RBAC calls it: get to look, update to change.

    `command` runs in the launcher: a stream in both directions where `stream`, else to its end. `change` is what is
    written to the VM instead, for the operator; it is given the VM and the time.
    """

    name: str
    verb: str
    what: str
    command: tuple[str, ...] = ()
    stream: bool = False
    change: Callable[[Object, str], Change] | None = None


def _launcher(*words: str) -> tuple[str, ...]:
    return ("libvf-launcher", *words)


ALL = {
    each.name: each
    for each in (
        Subresource("vnc", "get", "the screen, by RFB", _launcher("proxy", "vnc"), stream=True),
        Subresource("spice", "get", "the screen, by SPICE", _launcher("proxy", "spice"), stream=True),
        Subresource("console", "get", "the serial console", _launcher("proxy", "serial"), stream=True),
        Subresource("screenshot", "get", "the screen as a PNG picture", _launcher("screenshot", "-")),
        Subresource("pause", "update", "stops the guest's CPUs", _launcher("qmp", "stop")),
        Subresource("unpause", "update", "lets the guest go on", _launcher("qmp", "cont")),
        Subresource("start", "update", "turns it on", change=running.start),
        Subresource("stop", "update", "turns it off", change=lambda machine, _: running.stop(machine)),
        Subresource("restart", "update", "ends the guest and starts it with the spec as it is", change=running.restart),
    )
}


def resources() -> Object:
    """What discovery tells of the group; the VMs themselves are of another one."""
    listed = [
        {
            "name": f"{names.MACHINES}/{each.name}",
            "singularName": "",
            "namespaced": True,
            "kind": "VirtualMachine",
            "group": names.GROUP,
            "version": names.VERSION,
            "verbs": [each.verb],
        }
        for each in ALL.values()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION, "resources": listed}


def group() -> Object:
    """The group, in its one version."""
    version = {"groupVersion": GROUP_VERSION, "version": VERSION}
    about = {"name": names.SUBRESOURCES_GROUP, "versions": [version], "preferredVersion": version}
    return {"kind": "APIGroup", "apiVersion": "v1", **about}


def openapi2() -> Object:
    """OpenAPI 2.0, in which nothing is described that the newer one does not describe better."""
    return {"swagger": "2.0", "info": {"title": "libvf", "version": VERSION}, "paths": {}}


def openapi() -> Object:
    """The group's paths in OpenAPI 3.0, which the API server merges into its own."""
    path = f"{BASE}/namespaces/{{namespace}}/{names.MACHINES}/{{name}}"
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in ("namespace", "name")
    ]
    methods = {"get": "get", "update": "put"}
    paths = {
        f"{path}/{each.name}": {
            methods[each.verb]: {
                "description": f"{each.what}{' (WebSocket, binary)' if each.stream else ''}",
                "operationId": f"{each.verb}VirtualMachine{each.name.capitalize()}",
                "parameters": parameters,
                "responses": {"101" if each.stream else "200": {"description": "OK"}},
            }
        }
        for each in ALL.values()
    }
    return {"openapi": "3.0.0", "info": {"title": "libvf", "version": VERSION}, "paths": paths, "components": {}}
