"""The CDI file that gives a claim's devices to its containers: pure document, then one atomic write.

Facts: the CDI specification 0.6 (deviceNodes with uid and gid, hooks, mounts); containerd 2 reads
/var/run/cdi.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from libvf_api.guest_report import FOLDER
from libvf_api.names import ATTRIBUTES_FOLDER, METADATA_FILE, QEMU_ID

from libvf_agent import cell, tap, usb, vsock
from libvf_agent.files import remove_whole, write_whole
from libvf_agent.journal import Entry, Slice

KIND = "libvf.io/claim"
HOOK = "/var/lib/libvf/bin/libvf-hook"


def device_id(entry: Entry, index: int) -> str:
    """The fully qualified CDI name of the claim's device of that number."""
    return f"{KIND}={entry.uid}-{index}"


def document(entry: Entry, metadata: Path, report: Path, hook: str = HOOK) -> dict[str, Any]:
    """The CDI file of an entry; `metadata` and `report` are the host's folders of this claim's metadata files and of
    the socket for what its guest says."""
    devices = [
        {"name": f"{entry.uid}-{index}", "containerEdits": _edits(entry, piece, metadata, report, hook)}
        for index, piece in enumerate(entry.slices)
    ]
    body: dict[str, Any] = {"cdiVersion": "0.6.0", "kind": KIND, "devices": devices}
    if any("iommuGroup" in piece.facts for piece in entry.slices):
        raise_memlock = {"hookName": "createRuntime", "path": hook, "args": ["libvf-hook"]}
        body["containerEdits"] = {"hooks": [raise_memlock]}
    return body


def path(folder: Path, uid: str) -> Path:
    """Where a claim's CDI file is."""
    return folder / f"libvf.io-{uid}.json"


def write(folder: Path, entry: Entry, metadata: Path, report: Path, hook: str = HOOK) -> None:
    """Puts the entry's CDI file in place."""
    write_whole(path(folder, entry.uid), msgspec.json.encode(document(entry, metadata, report, hook)))


def remove(folder: Path, uid: str) -> None:
    """Takes the claim's CDI file away."""
    remove_whole(path(folder, uid))


def _edits(entry: Entry, piece: Slice, metadata: Path, report: Path, hook: str) -> dict[str, Any]:
    nodes = [_node(node) for node in _nodes(piece)]
    mounts = [_mount(entry, piece, metadata), *([_bound(str(report), FOLDER)] if is_kvm(piece) else [])]
    return {**({"deviceNodes": nodes} if nodes else {}), **_hooks(piece, hook), "mounts": mounts}


def _hooks(piece: Slice, hook: str) -> dict[str, Any]:
    if bound := cell.binding(piece):
        return {"hooks": [{"hookName": "createRuntime", "path": hook, "args": ["libvf-hook", "cell", *bound]}]}
    if "tap" not in piece.facts:
        return {}
    beside = str(Path(hook).with_name(tap.HOOK))
    return {"hooks": [{"hookName": "createRuntime", "path": beside, "args": tap.arguments()}]}


def is_kvm(piece: Slice) -> bool:
    """Whether it is what every virtual machine has."""
    return piece.plan is None and piece.device == "kvm"


def _nodes(piece: Slice) -> list[str]:
    if "iommuGroup" in piece.facts:
        groups = str(piece.facts.get("iommuGroups") or piece.facts["iommuGroup"]).split()
        return [*(f"/dev/vfio/{group}" for group in groups), "/dev/vfio/vfio"]
    if "tap" in piece.facts:
        return tap.nodes(piece.facts)
    if vsock.is_vsock(piece):
        return [vsock.DEVICE]
    if usb.NODE in piece.facts:
        return [str(piece.facts[usb.NODE])]
    return ["/dev/kvm"] if piece.facts.get("accelerated") else []


def _node(path: str) -> dict[str, Any]:
    return {"path": path, "permissions": "rw", "fileMode": 0o660, "uid": QEMU_ID, "gid": QEMU_ID}


def _mount(entry: Entry, piece: Slice, metadata: Path) -> dict[str, Any]:
    """The request's file at the path KEP-5304 gives it; the subrequest's name is no part of it."""
    request = piece.request.partition("/")[0]
    claim = f"resourceclaimtemplates/{entry.pod_claim_name}" if entry.pod_claim_name else f"resourceclaims/{entry.name}"
    return _bound(str(metadata / request / METADATA_FILE), f"{ATTRIBUTES_FOLDER}/{claim}/{request}/{METADATA_FILE}")


def _bound(there: str, here: str) -> dict[str, Any]:
    """Read-only; a socket in it can be spoken to all the same."""
    return {"hostPath": there, "containerPath": here, "options": ["ro", "rbind", "nosuid", "nodev", "noexec"]}
