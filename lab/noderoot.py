"""The node's root disk: Debian with a kernel, containerd, kubelet and the kernel's sample mediated devices.

What is the same for every node is here and is made once; what tells one node from another reaches it at
boot as a tar by QEMU's firmware configuration (see node.py).
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from lab import cache, initramfs
from lab.binaries import binaries
from lab.errors import LabError
from lab.progress import step
from lab.shell import run

SUITE = "trixie"
FILES = Path(__file__).parent / "nodefiles"
SAMPLES = ("mtty", "mdpy", "mbochs", "mdpy-fb")
PACKAGES = (
    "systemd,systemd-sysv,udev,kmod,iproute2,iptables,procps,mount,ca-certificates,busybox-static,runc,"
    "containernetworking-plugins,dropbear-bin,linux-image-amd64"
)
BUILD_PACKAGES = "linux-headers-amd64,linux-source-6.12,make,gcc,libc6-dev,xz-utils,kmod"
DISK_SIZE = "4G"

_INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
while read -r module; do insmod /modules/$module; done < /modules/order
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 -o noatime /dev/vda /root || exec sh
mount --move /dev /root/dev; umount /proc /sys
exec switch_root /root /sbin/init
"""


@dataclass(frozen=True, slots=True)
class NodeBoot:
    """What QEMU boots: kernel, initramfs and the read-only base of every node's root disk."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """The kernel image."""
        return self.folder / "vmlinuz"

    @property
    def initramfs(self) -> Path:
        """The initramfs that mounts /dev/vda."""
        return self.folder / "initramfs"

    @property
    def disk(self) -> Path:
        """The root disk, raw."""
        return self.folder / "root.img"


def debian_root() -> Path:
    """A Debian root with a kernel and the sample modules in it; the demo's guest is made from it too."""
    key = cache.key_of(SUITE, PACKAGES, BUILD_PACKAGES, *SAMPLES)
    return cache.entry("debian-root", key, _debian_root) / "root"


def node_boot() -> NodeBoot:
    """Kernel, initramfs and root disk of a node."""
    key = cache.key_of(debian_root().parent.name, binaries().name, FILES, Path(__file__))
    return NodeBoot(cache.entry("node", key, _node_boot))


def _debian_root(folder: Path) -> None:
    with step(f"Debian {SUITE} for the nodes"):
        run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, folder / "root"])
    with step("the kernel's sample mediated devices"):
        build = folder / "build"
        run(["mmdebstrap", "--variant=minbase", f"--include={BUILD_PACKAGES}", SUITE, build])
        _build_samples(build, folder / "root")
        shutil.rmtree(build)


def _build_samples(build: Path, root: Path) -> None:
    release = initramfs.kernel_release(root)
    if not (build / "usr/lib/modules" / release / "build").is_symlink():
        raise LabError(f"no headers for the node's kernel {release}: the package archive moved on, try again")
    source = build / "samples"
    source.mkdir()
    archive = build / "usr/src/linux-source-6.12.tar.xz"
    members = ["--strip-components=3", "--wildcards", "linux-source-6.12/samples/vfio-mdev/*"]
    run(["tar", "-C", source, "-xf", archive, *members])
    objects = " ".join(f"{name}.o" for name in SAMPLES)
    (source / "Makefile").write_text(f"obj-m := {objects}\n")
    run(["chroot", build, "make", "-C", f"/lib/modules/{release}/build", "M=/samples", "modules"])
    target = root / "usr/lib/modules" / release / "extra"
    target.mkdir()
    for name in SAMPLES:
        shutil.copy(source / f"{name}.ko", target)
    run(["chroot", root, "depmod", release])


def _node_boot(folder: Path) -> None:
    source, root = debian_root(), folder / "root"
    run(["cp", "-a", source, root])
    release = initramfs.kernel_release(root)
    (root / f"boot/vmlinuz-{release}").rename(folder / "vmlinuz")
    for unneeded in ("boot", "usr/share/doc", "usr/share/locale", "usr/share/man", "var/cache/apt"):
        shutil.rmtree(root / unneeded, ignore_errors=True)
    run(["cp", "-a", f"{FILES}/.", root])
    for name in ("containerd", "containerd-shim-runc-v2", "ctr", "kubelet"):
        shutil.copy(binaries() / name, root / "usr/bin" / name)
    (root / "usr/bin/kubectl").symlink_to("kubelet")
    run(["chroot", root, "systemctl", "enable", "node-identity", "containerd", "kubelet", "dropbear"])
    run(["chroot", root, "systemctl", "mask", *_UNNEEDED_UNITS])
    initramfs.build(folder / "initramfs", root, ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"], _INIT)
    disk = folder / "root.img"
    run(["truncate", "-s", DISK_SIZE, disk])
    run(["mke2fs", "-q", "-t", "ext4", "-d", root, disk])
    shutil.rmtree(root)


_UNNEEDED_UNITS = (
    "getty@tty1.service",
    "systemd-timesyncd.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "fstrim.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "systemd-networkd-wait-online.service",
)
