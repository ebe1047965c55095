"""A volume of the launcher's as a reader of ISO 9660 sees it."""

import subprocess
from pathlib import Path


def label(iso: Path) -> str:
    """Its volume id, from the primary volume descriptor (ECMA-119, 8.4)."""
    with iso.open("rb") as file:
        file.seek(16 * 2048)
        descriptor = file.read(2048)
    assert descriptor[1:6] == b"CD001"
    return descriptor[40:72].decode().rstrip()


def files(iso: Path, target: Path) -> dict[str, bytes]:
    """All of its files by their paths, read by xorriso."""
    argv = ["xorriso", "-osirrox", "on", "-indev", str(iso), "-extract", "/", str(target)]
    subprocess.run(argv, check=True, capture_output=True)
    found = [path for path in target.rglob("*") if path.is_file()]
    return {str(path.relative_to(target)): path.read_bytes() for path in found}
