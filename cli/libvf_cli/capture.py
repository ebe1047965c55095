"""`kubectl vf capture`: a host's cards as an archive, for who has no such card (docs/capture.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from libvf_api.capture import BadCapture, Capture, unpack

from libvf_cli.agents import fetch, found
from libvf_cli.errors import BadAnswer, CannotWrite
from libvf_cli.kubectl import Kubectl
from libvf_cli.table import aligned

SECONDS = 300.0
"""A host of eight cards in 256 virtual functions takes some ten; a busy driver answers slowly."""

_HEAD = ("FUNCTION", "PCI-ID", "CLASS", "DRIVER")
_MEDIATED = ("sys/class/mdev_bus/", "sys/bus/mdev/devices/")
_CLASSES = ("0x03", "0x12")


@dataclass(frozen=True, slots=True)
class Saved:
    """An archive, and the file it was written to."""

    file: Path
    size: int
    capture: Capture


def saved(kubectl: Kubectl, node: str, card: str | None, name: str | None) -> Saved:
    """The archive of a node's host, looked into and written; CannotWrite where there is a file of that name."""
    file = Path(name or f"{node}-{datetime.now(UTC):%Y-%m-%d}.tar.gz")
    _refuse_if_there(file)
    [agent] = found(kubectl, node)
    only = (f"--card={card}",) if card else ()
    archive = fetch(replace(kubectl, seconds=SECONDS), agent, "capture", *only, "--output=-")
    try:
        capture = unpack(archive)
    except BadCapture as error:
        raise BadAnswer(f"{agent.pod} did not answer with a capture: {error}") from error
    try:
        with file.open("xb") as target:
            target.write(archive)
    except OSError as error:
        raise CannotWrite(f"{file}: {error.strerror}: name another file with --file") from error
    return Saved(file, len(archive), capture)


def text(made: Saved) -> str:
    """What is in it, and what is to be done before it is sent."""
    manifest = made.capture.manifest
    refusals = Counter([*manifest.refused.values(), *manifest.unlisted.values()])
    refused = ", ".join(f"{name} {count}" for name, count in sorted(refusals.items()))
    rows = sorted(_rows(made.capture))
    parents, devices = (sum(1 for path in manifest.links if path.startswith(folder)) for folder in _MEDIATED)
    parts = (
        aligned(_HEAD, rows) or "no GPU that is a PCI function",
        f"{made.file}: {-(-made.size // 1024)} KiB, Linux {manifest.kernel}, agent {manifest.agent}\n"
        f"{parents} parents of mediated devices, {devices} of these\n"
        f"{manifest.files} files, {len(manifest.links)} links, "
        f"{len(manifest.write_only)} files for writing only, not readable: {refused or 'none'}",
        "Look at it before you send it, and give it another name if the node's should stay private:\n"
        f"  tar --extract --to-stdout --file {made.file} | less\n"
        "docs/capture.md says what it has, and what it never has",
    )
    return "\n\n".join(parts)


def document(made: Saved) -> object:
    """The same for programs."""
    functions = [dict(zip(("function", "pciId", "class", "driver"), row, strict=True)) for row in _rows(made.capture)]
    return {"file": str(made.file), "bytes": made.size, "functions": sorted(functions, key=lambda one: one["function"])}


def _rows(capture: Capture) -> Iterator[tuple[str, ...]]:
    """Cards and their virtual functions, by what the bus or a function's own folder says."""
    for path, kind in capture.files.items():
        folder, _, name = path.rpartition("/")
        if name != "class" or not kind.startswith(_CLASSES):
            continue
        ids = (capture.files.get(f"{folder}/{part}", "?").strip().removeprefix("0x") for part in ("vendor", "device"))
        driver = capture.manifest.links.get(f"{folder}/driver", "-").rpartition("/")[2]
        yield (folder.rpartition("/")[2], ":".join(ids), kind.strip(), driver)


def _refuse_if_there(file: Path) -> None:
    """Before the host is asked for nothing."""
    if file.exists():
        raise CannotWrite(f"{file} is there already: name another file with --file")
