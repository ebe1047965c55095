"""The device metadata files (KEP-5304) on the host, which CDI mounts into the containers of a claim."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
from libvf_api.names import DRIVER, METADATA_FILE, PCI_ATTRIBUTE

from libvf_agent.files import write_whole
from libvf_agent.journal import Entry, Slice

VERSIONS = ("v1beta1", "v1alpha1")
_KEYS = (
    *("mdevUUID", "iommuGroup", "type", "parent", "mode", "display", "numaNode", "accelerated"),
    *("pciFunctions", "barBytes", "kind", "tap", "vhostNet", "mac", "vsockCid", "usbNode"),
    *("cpus", "sharedCpus", "threads"),
)


def folder(state: Path, uid: str) -> Path:
    """The host's folder of a claim's files, one folder a request in it."""
    return state / uid


def write(state: Path, entry: Entry) -> Path:
    """Writes a file for each request; returns the claim's folder."""
    home = folder(state, entry.uid)
    for request in sorted({piece.request.partition("/")[0] for piece in entry.slices}):
        write_whole(home / request / METADATA_FILE, stream(entry, request))
    return home


def remove(state: Path, uid: str) -> None:
    """Takes the claim's files away."""
    shutil.rmtree(folder(state, uid), ignore_errors=True)


def stream(entry: Entry, request: str) -> bytes:
    """The request's devices as a stream of JSON objects, newest version first."""
    pieces = [piece for piece in entry.slices if piece.request.partition("/")[0] == request]
    return b"\n".join(msgspec.json.encode(_document(entry, pieces, version)) for version in VERSIONS) + b"\n"


def _document(entry: Entry, pieces: list[Slice], version: str) -> dict[str, Any]:
    meta = {
        "name": entry.name,
        "namespace": entry.namespace,
        "uid": entry.uid,
        "generation": entry.generation,
    }
    names = sorted({piece.request for piece in pieces})
    return {
        "apiVersion": f"metadata.resource.k8s.io/{version}",
        "kind": "DeviceMetadata",
        "metadata": meta,
        **({"podClaimName": entry.pod_claim_name} if entry.pod_claim_name else {}),
        "requests": [{"name": n, "devices": [_device(p) for p in pieces if p.request == n]} for n in names],
    }


def _device(piece: Slice) -> dict[str, Any]:
    attributes = {key: attribute(piece.facts[key]) for key in _KEYS if key in piece.facts}
    if "pciAddress" in piece.facts:
        attributes[PCI_ATTRIBUTE] = attribute(piece.facts["pciAddress"])
    return {"driver": DRIVER, "pool": piece.pool, "name": piece.device, "attributes": attributes}


def attribute(value: str | int | bool) -> dict[str, str | int | bool]:
    """A value in the shape of a device attribute."""
    if isinstance(value, bool):
        return {"bool": value}
    return {"int": value} if isinstance(value, int) else {"string": value}
