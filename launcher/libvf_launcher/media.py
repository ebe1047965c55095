"""Volumes that are made for this guest: cloud-init's seed, answers for Windows setup, guest tools. Pure.

cloud-init reads a file system with the label cidata on any block device (its NoCloud data source), so the seed is a
virtio disk: small kernels for clouds know that bus and no SATA. Windows setup looks for its answers on removable
media alone and brings a driver for AHCI, so these are CDs, on a controller of their own: all six ports of the
chipset's stay with spec.cdroms.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from libvf_api.launch import Launch
from libvf_api.v1alpha1 import CloudInit

from libvf_launcher.errors import BadMachine
from libvf_launcher.options import comma
from libvf_launcher.paths import Paths

USER_DATA, META_DATA = "user-data", "meta-data"
KEYS = "authorized_keys"
ANSWERS = ("autounattend.xml", "unattend.xml")
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Medium:
    """A volume by what it is for (a field of the spec), its label, its file, and how the guest sees it.

    `secret` is the folder of its Secret; what is in `folder` is its folder `files`.
    """

    field: str
    label: str
    file: Path
    secret: Path
    cdrom: bool = True
    folder: Path | None = None


def media(launch: Launch, paths: Paths) -> list[Medium]:
    """Which there are. Secrets stay in the memory of the Pod; guest tools are large, and go to the node's disk."""
    spec, run, secrets = launch.spec, paths.run, paths.secrets
    found = []
    if spec.cloud_init:
        found.append(Medium("cloudInit", "cidata", run / "cidata.iso", secrets / "cloudInit", cdrom=False))
    if spec.sysprep:
        found.append(Medium("sysprep", "UNATTEND", run / "unattend.iso", secrets / "sysprep"))
    if spec.guest_tools and spec.guest_tools.enabled is not False:
        given = spec.guest_tools.image or spec.guest_tools.persistent_volume_claim or spec.guest_tools.host_path
        folder, file = paths.tools if given else None, paths.state / "guest-tools.iso"
        found.append(Medium("guestTools", "LIBVFTOOLS", file, secrets / "sshKeys", folder=folder))
    return found


def arguments(launch: Launch, paths: Paths) -> Iterator[str]:
    """A block node and a device each; none of them is ever started from."""
    found = media(launch, paths)
    if any(medium.cdrom for medium in found):
        yield from ("-device", "ich9-ahci,id=media")
    port = 0
    for medium in found:
        node = f"medium-{medium.label.lower()}"
        file = f"file.driver=file,file.filename={comma(str(medium.file))}"
        yield from ("-blockdev", f"driver=raw,node-name={node},read-only=on,{file}")
        if medium.cdrom:
            yield from ("-device", f"ide-cd,bus=media.{port},drive={node}")
            port += 1
        else:
            yield from ("-device", f"virtio-blk-pci,drive={node}")


def seed(launch: Launch, secret: Files) -> Files:
    """The files of a NoCloud seed; raises BadMachine where there is no user data.

    The instance is the VM: cloud-init does its first-boot work again on the disk of another one.
    """
    asked = launch.spec.cloud_init or CloudInit()
    found = {USER_DATA: asked.user_data.encode()} if asked.user_data else secret
    _require("cloudInit", asked.secret_name or "", launch.namespace, found, (USER_DATA,))
    own = f"instance-id: {json.dumps(launch.uid)}\nlocal-hostname: {json.dumps(launch.name)}\n"
    return {META_DATA: own.encode(), **found}


def answers(launch: Launch, secret: Files) -> Files:
    """The files of the CD for Windows setup; raises BadMachine where there are no answers on it."""
    name = launch.spec.sysprep.secret_name if launch.spec.sysprep else ""
    _require("sysprep", name, launch.namespace, secret, ANSWERS)
    return secret


def tools(launch: Launch, secret: Files) -> Files:
    """The ssh keys on the CD of guest tools; raises BadMachine where the Secret that the spec names has none."""
    asked = launch.spec.guest_tools.ssh_keys if launch.spec.guest_tools else None
    if not asked:
        return {}
    _require("guestTools.sshKeys", asked.secret_name, launch.namespace, secret, (KEYS,))
    return {KEYS: secret[KEYS]}


def _require(field: str, secret: str, namespace: str, found: Files, keys: tuple[str, ...]) -> None:
    """That one of the keys is there; Windows does not care for the case of a file's name."""
    if {key.lower() for key in found} & set(keys):
        return
    has = f"has {', '.join(sorted(found))}" if found else "is not there or empty"
    raise BadMachine(
        f"spec.{field}: Secret {secret} {has}, and needs {' or '.join(keys)}: "
        f"create it in namespace {namespace}, then the machine starts at its next try"
    )
