"""The Debian packages that the lab's host needs, installed when they are missing."""

import shutil

from lab.errors import LabError
from lab.progress import step
from lab.shell import run

# a program that the package brings -> the package
NEEDED = {
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
    "qemu-img": "qemu-utils",
    "ip": "iproute2",
    "mke2fs": "e2fsprogs",
    "busybox": "busybox-static",
    "openssl": "openssl",
    "ssh": "openssh-client",
    "mformat": "mtools",
    "syslinux": "syslinux",
    "gcc": "gcc",
    "cpio": "cpio",
    "zstd": "zstd",
    "fuse-overlayfs": "fuse-overlayfs",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
}


def install_missing() -> None:
    """Install what is missing by apt-get; raises LabError where this is not Debian or not root."""
    missing = sorted({package for program, package in NEEDED.items() if not shutil.which(program)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise LabError(f"the lab needs {', '.join(missing)} and knows only apt-get: install them by hand")
    with step(f"installing {' '.join(missing)}"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-q"], env=quiet)
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], env=quiet)


if __name__ == "__main__":
    install_missing()
