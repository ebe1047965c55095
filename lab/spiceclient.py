"""A SPICE client of other people, to look at what a launcher serves: Debian trixie's, run from a folder."""

import subprocess
from pathlib import Path

from lab import cache
from lab.emulator import SUITE
from lab.shell import run

PACKAGES = "spice-client-gtk"

_START = """\
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root/usr
libraries=$root/lib/x86_64-linux-gnu
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/pulseaudio" \\
  "$root/bin/spicy-screenshot" "$@"
"""


def screenshot(socket: Path, picture: Path, seconds: float = 60) -> None:
    """Connect, wait for the screen, and write it as PPM; raises CalledProcessError with the client's words."""
    program = cache.entry("spice-client", cache.key_of(SUITE, PACKAGES, _START), _extract) / "spicy-screenshot"
    argv = [str(program), f"--uri=spice+unix://{socket}", f"--out-file={picture}"]
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=seconds)


def _extract(folder: Path) -> None:
    run(["mmdebstrap", "--variant=extract", f"--include={PACKAGES}", SUITE, folder / "root"])
    start = folder / "spicy-screenshot"
    start.write_text(_START)
    start.chmod(0o755)
