"""A TPM 2.0: swtpm beside QEMU, its state kept for the next run."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from libvf_api.launch import Launch

from libvf_launcher.companion import Companion
from libvf_launcher.errors import CompanionFailed
from libvf_launcher.firmware import home
from libvf_launcher.paths import Paths


def wanted(launch: Launch) -> bool:
    """Whether the VM has one."""
    return bool(launch.spec.firmware and launch.spec.firmware.tpm)


def arguments(launch: Launch, paths: Paths) -> Iterator[str]:
    """The interface that TPM 2.0 was made for (TCG's Command Response Buffer), and the way to swtpm."""
    if wanted(launch):
        yield from ("-chardev", f"socket,id=tpm,path={paths.tpm}")
        yield from ("-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0")


def beside(launch: Launch, paths: Paths) -> Iterator[Companion]:
    """swtpm, which opens its state when QEMU comes and keeps others from it until then."""
    if wanted(launch):
        state, control = f"dir={_state(launch, paths)},mode=0600", f"type=unixio,path={paths.tpm},mode=0600"
        yield Companion("swtpm", ("swtpm", "socket", "--tpm2", "--tpmstate", state, "--ctrl", control), paths.tpm)


def make(launch: Launch, paths: Paths) -> None:
    """Manufacture the TPM once, whole or not at all: seeds, endorsement keys, one bank of PCRs.

    Raises CompanionFailed with swtpm_setup's words.
    """
    place = _state(launch, paths)
    if not wanted(launch) or place.exists():
        return
    begun = place.with_suffix(".new")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir(mode=0o700)
    options = ("--tpm2", "--tpmstate", str(begun), "--createek", "--pcr-banks", "sha256", "--config", "/dev/null")
    done = subprocess.run(["swtpm_setup", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise CompanionFailed(f"the TPM could not be made in {place.parent}: {done.stdout.strip()}")
    begun.rename(place)


def _state(launch: Launch, paths: Paths) -> Path:
    return home(launch, paths) / "tpm"
