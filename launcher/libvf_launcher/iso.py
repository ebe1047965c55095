"""Writes the volumes of `media` before QEMU starts, by xorriso."""

import subprocess
import tempfile
from pathlib import Path

from libvf_api.launch import Launch

from libvf_launcher import media
from libvf_launcher.errors import BadMachine
from libvf_launcher.media import Files, Medium
from libvf_launcher.paths import Paths

# Rock Ridge for Linux; Joliet for Windows, whose names may have 103 characters by that option
_XORRISO = ("xorriso", "-as", "mkisofs", "-quiet", "-rational-rock", "-joliet", "-joliet-long")


def make(launch: Launch, paths: Paths) -> None:
    """Make all of them anew, as a Secret may have changed since; raises BadMachine."""
    for medium in media.media(launch, paths):
        _write(medium, _files(medium, launch), paths.run)


def _files(medium: Medium, launch: Launch) -> Files:
    secret = _secret(medium.secret)
    match medium.field:
        case "cloudInit":
            return media.seed(launch, secret)
        case "sysprep":
            return media.answers(launch, secret)
        case _:
            return {**_scripts(), **media.tools(launch, secret)}


def _secret(folder: Path) -> Files:
    """A Secret's keys; kubelet's own entries begin with two dots, and one that is missing is an empty folder."""
    if not folder.is_dir():
        return {}
    keys = [key for key in folder.iterdir() if not key.name.startswith("..") and key.is_file()]
    return {key.name: key.read_bytes() for key in keys}


def _scripts() -> Files:
    """Ours that install the guest tools; cmd.exe misreads lines without a carriage return."""
    found = {file.name: file.read_bytes() for file in Path(__file__).with_name("tools").glob("install.*")}
    return {name: text if name.endswith(".sh") else text.replace(b"\n", b"\r\n") for name, text in found.items()}


def _write(medium: Medium, files: Files, memory: Path) -> None:
    """By way of a folder in memory; nothing of it is told, as most of it is secret."""
    with tempfile.TemporaryDirectory(dir=memory) as staged:
        for name, content in files.items():
            (Path(staged) / name).write_bytes(content)
        medium.file.unlink(missing_ok=True)
        argv = [*_XORRISO, "-volid", medium.label, "-output", str(medium.file), *_sources(medium, staged)]
        done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise BadMachine(f"spec.{medium.field}: the volume {medium.label} cannot be made: {done.stderr.strip()}")


def _sources(medium: Medium, staged: str) -> list[str]:
    """What lies where; a file system's own folder for what it lost is root's, and no file of anybody."""
    if medium.folder is None:
        return [staged]
    return ["-x", str(medium.folder / "lost+found"), "-graft-points", f"/={staged}", f"/files={medium.folder}"]
