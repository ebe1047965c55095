"""The image of a workstation's volumes: rancher's local-path-provisioner, and a shell for the Pods that it starts."""

import shutil
from pathlib import Path

from lab import cache
from lab.images import TAG, storage
from lab.shell import run

SOURCE = Path(__file__).parent / "storage"
REFERENCE = f"libvf.io/local-path:{TAG}"
_PROGRAM = "local-path-provisioner"
_BUSYBOX = Path("/usr/bin/busybox")
_APPLETS = ("sh", "mkdir", "rm")


def archive() -> Path:
    """The image as a docker archive."""
    key = cache.key_of(SOURCE, REFERENCE, *_APPLETS)
    return cache.entry("image-local-path", key, _build) / "local-path.tar"


def _build(folder: Path) -> None:
    programs = folder / "bin"
    programs.mkdir()
    package = f"github.com/rancher/{_PROGRAM}"
    argv = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", (programs / _PROGRAM).resolve(), package]
    run(argv, cwd=SOURCE, env={"CGO_ENABLED": "0"})
    shutil.copy(_BUSYBOX, programs / "busybox")
    for name in _APPLETS:
        (programs / name).symlink_to("busybox")
    buildah = storage()
    container = buildah("from", "scratch")
    buildah("add", container, programs, "/bin")
    buildah("commit", "--rm", container, REFERENCE)
    buildah("push", REFERENCE, f"docker-archive:{folder / 'local-path.tar'}:{REFERENCE}")
    shutil.rmtree(programs)
