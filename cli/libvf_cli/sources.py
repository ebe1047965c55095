"""What flags say of disks, CD-ROMs, GPUs, folders and ports, as parts of a spec. Pure."""

from __future__ import annotations

import re
from typing import Any

from libvf_cli.errors import BadInput

Part = dict[str, Any]

_SOURCES = "pvc:CLAIM[/PATH], image:REFERENCE, path:/FILE or size:20Gi"
_PORT = re.compile(
    r"(?P<name>[a-z][a-z0-9-]*)=(?P<port>\d+)(:(?P<service>\d+))?(/(?P<protocol>tcp|udp))?", re.IGNORECASE
)
_GPU_KEYS = ("name", "type", "vram", "vendor", "device", "mode", "partition")
_MODES = {"mediated": "Mediated", "function": "VirtualFunction", "passthrough": "Passthrough"}


def disk(text: str) -> Part:
    """`root=pvc:desk/disk.img,format=qcow2` -> an entry of spec.disks."""
    name, source, options = _split("--disk", text)
    found = _source("--disk", text, source)
    allowed = {"format", "bus", "changes", "readonly", "create", "pull"}
    _known("--disk", text, options, allowed)
    for key in ("format", "bus", "changes"):
        if key in options:
            found[key] = options[key]
    if "readonly" in options:
        found["readOnly"] = True
    if "create" in options:
        _within(found, "persistentVolumeClaim", "--disk", text)["create"] = options["create"]
    if "pull" in options:
        _within(found, "image", "--disk", text)["pullPolicy"] = options["pull"]
    return {"name": name, **found}


def cdrom(text: str) -> Part:
    """`iso=path:/isos/debian.iso` -> an entry of spec.cdroms."""
    name, source, options = _split("--cdrom", text)
    _known("--cdrom", text, options, set())
    found = _source("--cdrom", text, source)
    if "size" in found:
        raise BadInput(f"--cdrom {text}: a CD-ROM has a source: pvc:CLAIM[/PATH], image:REFERENCE or path:/FILE")
    return {"name": name, **found}


def folder(text: str) -> Part:
    """`share=path:/srv/share` -> an entry of spec.filesystems."""
    name, source, options = _split("--share", text)
    _known("--share", text, options, {"readonly"})
    found = _source("--share", text, source)
    if set(found) & {"size", "image"}:
        raise BadInput(f"--share {text}: a folder is pvc:CLAIM or path:/FOLDER")
    return {"name": name, **found, **({"readOnly": True} if "readonly" in options else {})}


def gpu(text: str, number: int) -> Part:
    """`vram=1Gi..4Gi,vendor=nvidia` or `type=nvidia-746` or `any` -> an entry of spec.gpus."""
    options = {} if text == "any" else _options(text.split(","))
    _known("--gpu", text, options, set(_GPU_KEYS))
    found: Part = {"name": options.get("name", f"gpu{number}")}
    for key in ("type", "vendor", "device"):
        if key in options:
            found[key] = options[key]
    if "partition" in options:
        found["partitionRef"] = options["partition"]
    if "mode" in options:
        found["mode"] = _MODES.get(options["mode"].lower(), options["mode"])
    if "vram" in options:
        least, separator, most = options["vram"].partition("..")
        limits = {"min": least, "max": most} if separator else {"min": least}
        found["vram"] = {key: value for key, value in limits.items() if value}
    return found


def port(text: str) -> Part:
    """`ssh=22:2222/tcp` -> an entry of spec.ports."""
    match = _PORT.fullmatch(text)
    if not match:
        raise BadInput(f"--port {text}: write NAME=PORT[:SERVICEPORT][/tcp|udp], such as ssh=22 or web=80:8080")
    found: Part = {"name": match["name"], "port": int(match["port"])}
    if match["service"]:
        found["servicePort"] = int(match["service"])
    if match["protocol"]:
        found["protocol"] = match["protocol"].upper()
    return found


def medium(option: str, text: str) -> Part:
    """A source alone: `path:/isos/debian.iso`."""
    found = _source(option, text, text)
    if "size" in found:
        raise BadInput(f"{option} {text}: it has a source: pvc:CLAIM[/PATH], image:REFERENCE or path:/FILE")
    return found


def _split(option: str, text: str) -> tuple[str, str, dict[str, str]]:
    name, separator, rest = text.partition("=")
    source, *options = rest.split(",")
    if not separator or not name or not source:
        raise BadInput(f"{option} {text}: write NAME=SOURCE, and SOURCE as {_SOURCES}")
    return name, source, _options(options)


def _options(words: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _source(option: str, text: str, source: str) -> Part:
    kind, _, value = source.partition(":")
    match kind, value:
        case "pvc", claim if claim:
            name, _, path = claim.partition("/")
            return {"persistentVolumeClaim": {"claimName": name, **({"path": path} if path else {})}}
        case "image", reference if reference:
            return {"image": {"reference": reference}}
        case "path", path if path.startswith("/"):
            return {"hostPath": {"path": path}}
        case "size", size if size:
            return {"size": size}
    raise BadInput(f"{option} {text}: write the source as {_SOURCES}")


def _known(option: str, text: str, options: dict[str, str], allowed: set[str]) -> None:
    for key in options:
        if key not in allowed:
            raise BadInput(f"{option} {text}: {key!r} is none of {', '.join(sorted(allowed)) or 'its options'}")


def _within(found: Part, source: str, option: str, text: str) -> Part:
    if source not in found:
        raise BadInput(f"{option} {text}: that goes with a {source} alone")
    inner: Part = found[source]
    return inner
