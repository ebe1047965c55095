"""QEMU for the node VMs: Debian trixie's, whatever the host has.

So what is tested does not depend on the host's version, and it is the launcher's own; SR-IOV's igb needs QEMU 8, which
Debian 12 lacks. It runs from a folder, by its own loader and libraries.
"""

from pathlib import Path

from lab import cache
from lab.shell import run

SUITE = "trixie"
PACKAGES = "qemu-system-x86,qemu-system-modules-spice,seabios,ipxe-qemu"
BINARY = "qemu-system-x86_64"

_START = """\
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root/usr
libraries=$root/lib/x86_64-linux-gnu
export QEMU_MODULE_DIR=$libraries/qemu
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/pulseaudio" "$root/bin/{binary}" \\
  -L "$root/share/qemu" -L "$root/share/seabios" -L "$root/lib/ipxe/qemu" "$@"
"""


def qemu() -> Path:
    """The program to start as `qemu-system-x86_64`."""
    return cache.entry("qemu", cache.key_of(SUITE, PACKAGES, _START), _extract) / BINARY


def _extract(folder: Path) -> None:
    run(["mmdebstrap", "--variant=extract", f"--include={PACKAGES}", SUITE, folder / "root"])
    start = folder / BINARY
    start.write_text(_START.format(binary=BINARY))
    start.chmod(0o755)
