"""A small initramfs: busybox, an init script and just the kernel modules named, with what they need.

Debian's own is 40 MB and made for every machine; under emulation reading it costs more than the boot.
"""

import lzma
import shutil
from pathlib import Path

from lab.errors import LabError
from lab.shell import run

FOLDERS = ("bin", "dev", "proc", "sys", "root", "modules", "tmp")


def build(
    out: Path,
    root: Path,
    modules: list[str],
    init: str,
    extra: list[Path] | None = None,
    later: dict[str, list[str]] | None = None,
) -> None:
    """Write a newc archive to `out`.

    `root` is a Debian root with busybox-static and a kernel's /lib/modules; `modules` are names that
    /modules/order lists for the init script to insmod, dependencies first; `extra` are .ko files of our own,
    loaded last; `later` are further names by the file in /modules that lists them, for an init script that may need
    them.
    """
    work = out.with_suffix(".d")
    shutil.rmtree(work, ignore_errors=True)
    for folder in FOLDERS:
        (work / folder).mkdir(parents=True)
    shutil.copy(root / "usr/bin/busybox", work / "bin/busybox")
    (work / "init").write_text(init)
    (work / "init").chmod(0o755)
    order = [_unpack(path, work / "modules") for path in [*_closure(root, modules), *(extra or [])]]
    (work / "modules/order").write_text("".join(f"{name}\n" for name in order))
    for kind, names in (later or {}).items():
        further = [_unpack(path, work / "modules") for path in _closure(root, names)]
        (work / "modules" / kind).write_text("".join(f"{name}\n" for name in further if name not in order))
    archive = f"cd {work} && find . | cpio --quiet -o -H newc > {out.resolve()}"
    run(["sh", "-c", archive])
    shutil.rmtree(work)


def kernel_release(root: Path) -> str:
    """The one kernel in a Debian root, such as 6.12.118+deb13-amd64."""
    releases = sorted(path.name for path in (root / "usr/lib/modules").iterdir())
    if len(releases) != 1:
        raise LabError(f"{root} holds kernels {releases}: one was expected, clear the cache entry")
    return releases[0]


def _closure(root: Path, names: list[str]) -> list[Path]:
    """Files of the named modules and of all they depend on, in an order in which they can be loaded."""
    folder = root / "usr/lib/modules" / kernel_release(root)
    builtin = {_name(line) for line in (folder / "modules.builtin").read_text().splitlines()}
    needs = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        # modules.dep(5) lists what a module needs with the innermost last
        needs[_name(path)] = [path, *rest.split()]
    ordered: dict[str, None] = {}
    for name in names:
        if name in builtin:
            continue
        if name not in needs:
            raise LabError(f"the kernel {folder.name} has no module {name}")
        ordered.update(dict.fromkeys(reversed(needs[name])))
    return [folder / path for path in ordered]


def _unpack(path: Path, into: Path) -> str:
    name = path.name.removesuffix(".xz")
    data = path.read_bytes()
    (into / name).write_bytes(lzma.decompress(data) if path.suffix == ".xz" else data)
    return name


def _name(path: str) -> str:
    return Path(path.strip()).name.split(".ko")[0].replace("-", "_")
