"""A program that runs beside QEMU, such as a TPM or a file server."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Companion:
    """It is up when its socket is there."""

    name: str
    argv: tuple[str, ...]
    socket: Path
