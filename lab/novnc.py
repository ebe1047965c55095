"""noVNC's modules, as the gateway's image has them: Debian trixie's package, without what it depends on."""

import shutil
from pathlib import Path

from lab import cache
from lab.emulator import SUITE
from lab.shell import run

_DOWNLOAD = (
    'cd "$1" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download novnc && dpkg-deb --extract novnc_*.deb novnc'
)


def novnc() -> Path:
    """The folder with `core` and `vendor`."""
    return cache.entry("novnc", cache.key_of(SUITE, _DOWNLOAD), _extract) / "novnc"


def _extract(folder: Path) -> None:
    root = folder / "root"
    run(["mmdebstrap", "--variant=custom", f"--customize-hook={_DOWNLOAD}", SUITE, root])
    (root / "novnc/usr/share/novnc").rename(folder / "novnc")
    shutil.rmtree(root)
