"""`kubectl vf create`: flags as a VirtualMachine. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from libvf_api import names

from libvf_cli import sources
from libvf_cli.errors import BadInput

Texts = list[str] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The flags. What they have no word for is written in YAML: --dry-run prints it."""

    cores: Annotated[int, typer.Option(min=1, help="cores in a socket")] = 2
    sockets: Annotated[int, typer.Option(min=1)] = 1
    threads: Annotated[int, typer.Option(min=1, help="threads of a core")] = 1
    memory: Annotated[str, typer.Option(metavar="SIZE", help="such as 8Gi")] = "4Gi"
    hugepages: Annotated[str, typer.Option(metavar="2Mi|1Gi", help="the pages that back it")] = ""
    acceleration: Annotated[str, typer.Option(metavar="MODE", help="Preferred also runs without KVM")] = ""
    gpu: Annotated[
        Texts,
        typer.Option(
            metavar="SLICE", help="vram=1Gi..4Gi, type=, vendor=, device=, mode=, partition= or any; repeatable"
        ),
    ] = None
    disk: Annotated[Texts, typer.Option(metavar="NAME=SOURCE", help="pvc:, image:, path: or size:; repeatable")] = None
    cdrom: Annotated[Texts, typer.Option(metavar="NAME=SOURCE", help="pvc:, image: or path:; repeatable")] = None
    share: Annotated[Texts, typer.Option(metavar="NAME=SOURCE", help="a folder, pvc: or path:; repeatable")] = None
    port: Annotated[Texts, typer.Option(metavar="NAME=PORT", help="ssh=22, web=80:8080/tcp; repeatable")] = None
    display: Annotated[str, typer.Option(metavar="WAYS", help="vnc,spice,lookingGlass")] = ""
    graphics: Annotated[str, typer.Option(metavar="MODE", help="Accelerated, Safe, Headless or Disabled")] = ""
    audio: Annotated[str, typer.Option(metavar="WAY", help="scream or spice")] = ""
    uefi: Annotated[bool, typer.Option("--uefi", help="instead of BIOS")] = False
    secure_boot: Annotated[bool, typer.Option("--secure-boot", help="UEFI with it on; needs --state")] = False
    tpm: Annotated[bool, typer.Option("--tpm", help="a TPM 2.0; needs --state")] = False
    state: Annotated[str, typer.Option(metavar="SIZE|pvc:CLAIM", help="the volume that outlives the Pod")] = ""
    cloud_init: Annotated[str, typer.Option(metavar="SECRET", help="with the key user-data")] = ""
    sysprep: Annotated[str, typer.Option(metavar="SECRET", help="with the key autounattend.xml")] = ""
    guest_tools: Annotated[bool, typer.Option("--guest-tools", help="the CD with drivers")] = False
    hide_hypervisor: Annotated[bool, typer.Option("--hide-hypervisor", help="from the guest")] = False
    windows: Annotated[bool, typer.Option("--windows", help="its clock shows local time")] = False
    run: Annotated[str, typer.Option(metavar="STRATEGY", help="Always, Halted, Manual, Once, RerunOnFailure")] = (
        "Always"
    )


def machine(name: str, wanted: Wanted) -> dict[str, Any]:
    """The resource; BadInput with the flag that says nothing. What the values may be is the API server's to judge."""
    spec: dict[str, Any] = {
        "runStrategy": wanted.run,
        "cpu": {"cores": wanted.cores, **_given(sockets=wanted.sockets, threads=wanted.threads, one=1)},
        "memory": {"size": wanted.memory, **_given(hugepages=wanted.hugepages)},
        "gpus": [sources.gpu(text, number) for number, text in enumerate(wanted.gpu or [])],
        "firmware": _firmware(wanted),
        "state": _state(wanted.state),
        "disks": [sources.disk(text) for text in wanted.disk or []],
        "cdroms": [sources.cdrom(text) for text in wanted.cdrom or []],
        "filesystems": [sources.folder(text) for text in wanted.share or []],
        "guestTools": {"enabled": True} if wanted.guest_tools else None,
        "graphics": _given(mode=wanted.graphics),
        "display": [way for way in wanted.display.split(",") if way],
        "audio": wanted.audio,
        "ports": [sources.port(text) for text in wanted.port or []],
        "cloudInit": _given(secretName=wanted.cloud_init),
        "sysprep": _given(secretName=wanted.sysprep),
        "clock": "LocalTime" if wanted.windows else None,
        "hideHypervisor": wanted.hide_hypervisor,
    }
    spec["cpu"] |= _given(acceleration=wanted.acceleration)
    meta = {"name": name}
    kept = {key: value for key, value in spec.items() if value}
    return {"apiVersion": names.API_VERSION, "kind": "VirtualMachine", "metadata": meta, "spec": kept}


def installing(machine: dict[str, Any], iso: str, disk: str, new: str) -> dict[str, Any]:
    """The merge patch that installs from an ISO onto a disk; `new` is the disk's source where it is not there yet."""
    spec = machine["spec"]
    disks = list(spec.get("disks") or [])
    if not any(each["name"] == disk for each in disks):
        if not new:
            told = ", ".join(each["name"] for each in disks) or "none"
            raise BadInput(
                f"there is no disk {disk} (there is: {told}): name one of these with --disk, or say what it "
                "is with --new, such as pvc:CLAIM,create=40Gi"
            )
        disks = [sources.disk(f"{disk}={new}"), *disks]
    elif new:
        raise BadInput(f"the disk {disk} is there: leave --new out, or name another with --disk")
    medium = {"name": _MEDIUM, **sources.medium("--iso", iso)}
    cdroms = [medium, *(each for each in spec.get("cdroms") or [] if each["name"] != _MEDIUM)]
    return {"spec": {"disks": disks, "cdroms": cdroms, "install": {"iso": _MEDIUM, "disk": disk}}}


def _firmware(wanted: Wanted) -> dict[str, Any]:
    uefi = {"secureBoot": True} if wanted.secure_boot else {}
    return {**({"uefi": uefi} if wanted.uefi or wanted.secure_boot else {}), **({"tpm": True} if wanted.tpm else {})}


def _state(text: str) -> dict[str, Any]:
    kind, separator, claim = text.partition(":")
    if separator and (kind != "pvc" or not claim):
        raise BadInput(f"--state {text}: write a size such as 64Mi, or pvc:CLAIM")
    return {"persistentVolumeClaim": {"claimName": claim}} if separator else _given(size=text)


def _given(one: int = 0, **values: Any) -> dict[str, Any]:
    """Those that say something; `one` is a number that is the default anyway."""
    return {key: value for key, value in values.items() if value and value != one}


_MEDIUM = "installer"
