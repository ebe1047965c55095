"""The nodes' image disk: containerd's own folder with every image imported, as a read-only base.

Importing 230 MB inside an emulated VM costs minutes; here the same containerd does it on the host, and
nodes mount the result at /var/lib/containerd.
"""

import shutil
import tempfile
import time
from pathlib import Path

from lab import cache
from lab.binaries import binaries
from lab.progress import step
from lab.shell import Daemon, run, wait_until

DISK_SIZE = "8G"


def image_disk(archives: dict[str, Path]) -> Path:
    """The raw ext4 disk that holds these images (reference -> archive)."""
    parts = [part for reference, archive in sorted(archives.items()) for part in (reference, archive.parent.name)]
    key = cache.key_of(binaries().name, Path(__file__), *parts)
    return cache.entry("image-disk", key, lambda folder: _build(folder, archives)) / "images.img"


def _build(folder: Path, archives: dict[str, Path]) -> None:
    root = folder / "containerd"
    import_images(root, archives)
    disk = folder / "images.img"
    run(["truncate", "-s", DISK_SIZE, disk])
    run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk])
    shutil.rmtree(root)


def import_images(root: Path, archives: dict[str, Path], *options: str) -> None:
    """Makes containerd's folder with these images unpacked in it; `options` are those of `ctr images import`."""
    with tempfile.TemporaryDirectory(prefix="libvf-images-") as scratch:
        state = Path(scratch)
        socket = state / "containerd.sock"
        daemon = Daemon(state, "containerd")
        config = state / "config.toml"
        config.write_text(_config(root, state))
        daemon.start([binaries() / "containerd", "--config", config])
        try:
            wait_until("containerd", socket.exists, daemon, 60)
            time.sleep(0.5)
            for reference, archive in archives.items():
                with step(f"importing {reference}"):
                    ctr = [binaries() / "ctr", "--address", socket, "--namespace", "k8s.io", "images"]
                    run([*ctr, "import", "--local", *options, "--snapshotter", "overlayfs", archive])
        finally:
            daemon.stop()


def _config(root: Path, state: Path) -> str:
    # only the image store is wanted: the CRI plugin would look for a network and cgroups
    return f"""\
version = 3
root = "{root}"
state = "{state / "state"}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
  address = "{state / "containerd.sock"}"
[ttrpc]
  address = "{state / "containerd.sock.ttrpc"}"
"""
