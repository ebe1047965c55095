"""UEFI: Debian's OVMF, and the VM's own file of variables."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from libvf_api.launch import Launch

from libvf_launcher.errors import BadMachine
from libvf_launcher.options import comma
from libvf_launcher.paths import Paths


@dataclass(frozen=True, slots=True)
class Uefi:
    """The firmware's code, the variables that it begins with, and the file that they live in."""

    code: Path
    template: Path
    variables: Path
    secure: bool


def home(launch: Launch, paths: Paths) -> Path:
    """Where firmware keeps its state: on the volume of spec.state, else where it ends with the run."""
    return paths.keep if launch.spec.state else paths.state


def uefi(launch: Launch, paths: Paths) -> Uefi | None:
    """What spec.firmware.uefi asks for, None for BIOS.

    With Secure Boot the keys are in the template (ovmf's README.Debian), and the code that enforces them is another.
    So its variables have a file of their own: one that was begun without keys would leave Secure Boot off in silence.
    """
    asked = launch.spec.firmware.uefi if launch.spec.firmware else None
    if not asked:
        return None
    folder, kept = paths.ovmf, home(launch, paths)
    if asked.secure_boot:
        secure = (folder / "OVMF_CODE_4M.secboot.fd", folder / "OVMF_VARS_4M.ms.fd", kept / "uefi-secure.fd")
        return Uefi(*secure, secure=True)
    return Uefi(folder / "OVMF_CODE_4M.fd", folder / "OVMF_VARS_4M.fd", kept / "uefi.fd", secure=False)


def arguments(found: Uefi | None) -> Iterator[str]:
    """Two flash chips, code and variables; with Secure Boot only the firmware, in SMM, may write to the second.

    Sleep to memory is off then: the firmware cannot come back from it with SMM (edk2's OvmfPkg/README).
    """
    if found is None:
        return
    for node, file, how in (("uefi-code", found.code, "on"), ("uefi-variables", found.variables, "off")):
        source = f"file.driver=file,file.filename={comma(str(file))}"
        yield from ("-blockdev", f"driver=raw,node-name={node},read-only={how},{source}")
    yield from ("-machine", f"pflash0=uefi-code,pflash1=uefi-variables{',smm=on' if found.secure else ''}")
    if found.secure:
        yield from ("-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1")


def make(found: Uefi | None) -> None:
    """Make the file of variables, whole or not at all; raises BadMachine where the one that is there is damaged."""
    if found is None:
        return
    file, size = found.variables, found.template.stat().st_size
    if not file.exists():
        begun = file.with_suffix(".new")
        shutil.copyfile(found.template, begun)
        begun.rename(file)
    if file.stat().st_size != size:
        raise BadMachine(
            f"the UEFI variables in {file} have {file.stat().st_size} bytes, not {size}: put back a copy of that file, "
            "or remove it and the machine starts with fresh ones"
        )
