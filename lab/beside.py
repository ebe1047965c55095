"""What the launcher has beside QEMU in its image: UEFI firmware, a TPM, a file server; Debian trixie's, in a folder.

As in lab.emulator, the programs run by their own loader and libraries, whatever the host has.
"""

from pathlib import Path

from lab import cache
from lab.emulator import SUITE
from lab.shell import run

PACKAGES = "ovmf,swtpm,swtpm-tools,virtiofsd"
PROGRAMS = ("usr/bin/swtpm", "usr/bin/swtpm_setup", "usr/libexec/virtiofsd")

_START = """\
#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")/root/usr
libraries=$root/lib/x86_64-linux-gnu
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/swtpm" "$root/{program}" "$@"
"""


def beside() -> Path:
    """A folder with `bin`, whose programs can be started, and `root`, the packages as they are."""
    return cache.entry("beside", cache.key_of(SUITE, PACKAGES, _START), _extract)


def _extract(folder: Path) -> None:
    run(["mmdebstrap", "--variant=extract", f"--include={PACKAGES}", SUITE, folder / "root"])
    (folder / "bin").mkdir()
    for program in PROGRAMS:
        start = folder / "bin" / Path(program).name
        start.write_text(_START.format(program=program.removeprefix("usr/")))
        start.chmod(0o755)
