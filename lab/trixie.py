"""Programs of Debian trixie, which the launcher's image is made of, on a host that has others or none.

Each runs from a folder, by its own loader and libraries.
"""

from pathlib import Path

from lab import cache
from lab.shell import run

SUITE = "trixie"

_START = """\
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root/usr
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu" "$root/{place}/{name}" "$@"
"""


def root(package: str) -> Path:
    """A folder with a package and all that it needs, to run its programs in by chroot; nothing in it is configured."""

    def extract(folder: Path) -> None:
        run(["mmdebstrap", "--variant=extract", f"--include={package}", SUITE, folder / "root"])
        for name in ("bin", "sbin", "lib", "lib64"):
            if not (folder / "root" / name).exists():
                (folder / "root" / name).symlink_to(f"usr/{name}")

    return cache.entry(f"root-{package}", cache.key_of(SUITE, package, Path(__file__)), extract) / "root"


def programs(package: str, *names: str) -> Path:
    """The folder in which programs of a package can be started."""

    def extract(folder: Path) -> None:
        run(["mmdebstrap", "--variant=extract", f"--include={package}", SUITE, folder / "root"])
        for name in names:
            place = next(place for place in ("bin", "sbin") if (folder / "root/usr" / place / name).exists())
            (folder / name).write_text(_START.format(name=name, place=place))
            (folder / name).chmod(0o755)

    return cache.entry(f"program-{package}", cache.key_of(SUITE, package, *names, _START), extract)
