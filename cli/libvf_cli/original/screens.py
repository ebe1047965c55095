"""The original's screens, sound and ports -> graphics, display, audio and ports. Pure."""

from __future__ import annotations

from typing import Any

from libvf_cli.original.document import BadOriginal
from libvf_cli.original.draft import Draft, listed, mapped, truth, whole

_SSH = 22
_PORTS = "no port of a host is fixed: kubectl vf {command} NAME --port {port} opens one where you sit"


def display(draft: Draft) -> None:
    """Ways to look, and whether there is an emulated card at all."""
    headless = _headless(draft)
    ways = [*_vnc(draft, headless), *_spice(draft), *_looking_glass(draft)]
    if headless or ways:
        draft.spec["display"] = ways


def ports(draft: Draft) -> None:
    """Ports of the guest that a Service carries; each once for a protocol."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    ssh = whole("sshPort", draft.value("sshPort"))
    if ssh >= 0:
        found[_SSH, "TCP"] = {"name": "ssh", "port": _SSH, "servicePort": ssh}
    if "sshPort" in draft.given:
        why = "the port is the Service's, reached by kubectl vf ssh, or from outside by spec.network.serviceType"
        draft.changed("sshPort", ssh, why) if ssh >= 0 else draft.carried("sshPort", ssh)
    connectivity = mapped("connectivity", draft.value("connectivity"))
    for number, entry in enumerate(listed("connectivity.exposedPorts", connectivity.get("exposedPorts"))):
        _exposed(draft, f"connectivity.exposedPorts[{number}]", entry, found)
    if "exposedPorts" in connectivity and not connectivity["exposedPorts"]:
        draft.carried("connectivity.exposedPorts", connectivity["exposedPorts"])
    if found:
        draft.spec["ports"] = list(found.values())


def _exposed(draft: Draft, path: str, entry: Any, found: dict[tuple[int, str], dict[str, Any]]) -> None:
    given = mapped(path, entry)
    if "guest" not in given:
        raise BadOriginal(f"{path}.guest: the port in the guest is missing")
    guest = whole(f"{path}.guest", given["guest"])
    host = whole(f"{path}.host", given.get("host", guest))
    protocol = str(given.get("protocol") or "tcp").upper()
    if protocol not in ("TCP", "UDP"):
        raise BadOriginal(f"{path}.protocol: {given['protocol']!r} is neither tcp nor udp")
    if (guest, protocol) in found:
        draft.dropped(path, given, "this port of the guest is forwarded already, and it is once for each protocol")
        return
    found[guest, protocol] = {
        "name": f"{protocol.lower()}-{guest}", "port": guest, "servicePort": host, "protocol": protocol,
    }  # fmt: skip
    for key in ("guest", "protocol"):
        if key in given:
            draft.carried(f"{path}.{key}", given[key])
    if "host" in given:
        why = "a port of the Service, not of the host; from outside by spec.network.serviceType or kubectl port-forward"
        draft.changed(f"{path}.host", given["host"], why)


def _headless(draft: Draft) -> bool:
    value = truth("nographics", draft.value("nographics"))
    if value:
        draft.spec["graphics"] = {"mode": "Headless"}
    if "nographics" in draft.given:
        draft.carried("nographics", value)
    return value


def _vnc(draft: Draft, headless: bool) -> list[str]:
    port = whole("vncPort", draft.value("vncPort"))
    on = port >= 0 and not headless
    if "vncPort" in draft.given:
        if on:
            draft.changed("vncPort", port, _PORTS.format(command="vnc", port=port))
        elif port >= 0:
            draft.dropped("vncPort", port, "nographics leaves no screen that VNC could show: use graphics.mode Safe")
        else:
            draft.carried("vncPort", port)
    return ["vnc"] if on else []


def _spice(draft: Draft) -> list[str]:
    port = whole("spicePort", draft.value("spicePort"))
    on = truth("spice", draft.value("spice")) and port >= 0
    if "spice" in draft.given:
        draft.carried("spice", draft.given["spice"])
    if "spicePort" in draft.given:
        if on:
            draft.changed("spicePort", port, _PORTS.format(command="spice", port=port))
        else:
            draft.carried("spicePort", port, "spec.display: without spice")
    return ["spice"] if on else []


def _looking_glass(draft: Draft) -> list[str]:
    value = draft.value("introspect")
    on = str(value).lower() in ("looking-glass", "lookingglass")
    if not on and str(value or "none").lower() != "none":
        raise BadOriginal(f"introspect: {value!r} is neither looking-glass nor none")
    if on:
        draft.spec["audio"] = "scream"
    if "introspect" in draft.given:
        draft.carried("introspect", value)
    return ["lookingGlass"] if on else []
