"""The original's images, extra drives, ISO and shared folder -> disks, CD-ROMs and filesystems. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from libvf_cli.original.draft import Draft, listed, mapped, whole

_ON_CLAIM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_FORMATS = {".img": "raw", ".raw": "raw", ".iso": "raw"}
_NEEDS = "a namespace that admits hostPath volumes is needed, on the node that has the file"


@dataclass(frozen=True, slots=True)
class Storage:
    """Where images are: on the PersistentVolumeClaim `claim`, else on the node where their paths are absolute."""

    claim: str = ""
    install: bool = False

    def source(self, file: str, machine: str) -> tuple[dict[str, Any], str]:
        """A disk's source for a file of the original's, and what is to be done for it; empty where it has no name."""
        path = PurePosixPath(file)
        if path.is_absolute() and not self.claim:
            return {"hostPath": {"path": file}}, _NEEDS
        name = path.name if self.claim or path.is_absolute() else str(path)
        if not _ON_CLAIM.fullmatch(name):
            return {}, f"{name!r} can be no file's name on a volume: rename it"
        claim = self.claim or f"{machine}-images"
        return {"persistentVolumeClaim": {"claimName": claim, "path": name}}, (
            f"copy the file to {name} on the PersistentVolumeClaim {claim}"
        )


def disks(draft: Draft, storage: Storage) -> None:
    """Base image, extra drives, and the ISO where it is to be installed from."""
    container = mapped("container", draft.value("container"))
    found: list[dict[str, Any]] = []
    if kernel := container.get("kernel"):
        _disk(draft, found, "container.kernel", "root", str(kernel), storage)
    elif "kernel" in container:
        draft.dropped("container.kernel", kernel, "it names no image: give the VM a disk before it is started")
    for number, file in enumerate(listed("container.state", container.get("state"))):
        _disk(draft, found, f"container.state[{number}]", f"state{number}", str(file), storage)
    if "state" in container and not container["state"]:
        draft.carried("container.state", container["state"])
    if found:
        draft.spec["disks"] = found
    _size(draft, container, found, storage)
    _iso(draft, container, found, storage)


def folder(draft: Draft) -> None:
    """The folder that guest and host share."""
    path = draft.value("shareddir")
    if path and str(path).startswith("/"):
        draft.spec["filesystems"] = [{"name": "share", "hostPath": {"path": str(path)}}]
        draft.changed("shareddir", path, f"the guest mounts it by virtiofs, tag share; {_NEEDS}")
    elif path:
        draft.dropped("shareddir", path, "a folder of a node is named by its absolute path: add spec.filesystems")
    elif "shareddir" in draft.given:
        draft.carried("shareddir", path)


def _disk(draft: Draft, found: list[dict[str, Any]], key: str, name: str, file: str, storage: Storage) -> None:
    source, todo = storage.source(file, draft.name)
    if not source:
        draft.dropped(key, file, todo)
        return
    if any(source.items() <= disk.items() for disk in found):
        draft.dropped(key, file, "another disk is the same file, and one file has one writer")
        return
    # the original's guests have SATA disks, and may lack a driver for others
    disk = {"name": name, "bus": "sata", "format": _FORMATS.get(PurePosixPath(file).suffix, "qcow2"), **source}
    found.append(disk)
    draft.changed(key, file, f"{todo}; taken for {disk['format']}", f"spec.disks[{name}]")


def _size(draft: Draft, container: dict[str, Any], found: list[dict[str, Any]], storage: Storage) -> None:
    if "initialSize" not in container:
        return
    size = container["initialSize"]
    volume = found[0].get("persistentVolumeClaim") if found else None
    if storage.install and volume and size is not None and whole("container.initialSize", size) > 0:
        volume["create"] = f"{whole('container.initialSize', size)}Gi"
        draft.carried("container.initialSize", size)
        return
    draft.dropped(
        "container.initialSize", size, "an image that is there has its size; a new one: --install --claim NAME"
    )


def _iso(draft: Draft, container: dict[str, Any], found: list[dict[str, Any]], storage: Storage) -> None:
    system = draft.given.get("installOs")
    iso = container.get("iso")
    source, todo = storage.source(str(iso), draft.name) if iso else ({}, "it names no ISO")
    installs = bool(storage.install and source and found)
    if installs:
        draft.spec["cdroms"] = [{"name": "iso", **source}]
        draft.spec["install"] = {"iso": "iso", "disk": found[0]["name"]}
        draft.changed("container.iso", iso, todo)
    elif iso is None and "iso" in container:
        draft.carried("container.iso", iso, "there is none")
    elif "iso" in container:
        draft.dropped("container.iso", iso, "the guest is taken for installed: --install attaches it and installs anew")
    if "installOs" not in draft.given:
        return
    if str(system).lower() in ("none", ""):
        draft.carried("installOs", system, "none: nothing is installed unattended")
    elif installs:
        secret = f"{draft.name}-sysprep"
        draft.spec["sysprep"] = {"secretName": secret}
        draft.changed("installOs", system, f"put your autounattend.xml into the Secret {secret}", "spec.sysprep")
    else:
        draft.dropped("installOs", system, "the guest is taken for installed: --install installs it anew, unattended")
