"""The peers, in a node: libvirt and mdevctl of Debian's, and Python for the scripts, in a folder entered by chroot.

They are on a disk of their own that the node has while the bench runs, so that no test runs beside them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import cache
from lab.errors import LabError
from lab.node import Node
from lab.noderoot import SUITE
from lab.progress import say, step
from lab.shell import run

PLACE = "/var/lib/bench-root"
PACKAGES = "libvirt-daemon-driver-qemu,libvirt-daemon,libvirt-clients,qemu-system-x86,mdevctl,python3,kmod"
_UNNEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists")

# as a root without any of it: no security labels, no namespaces, no cgroups, no log daemon; what is left is libvirt's
# own work at a start, and less of it than on a host
_QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
dynamic_ownership = 0
stdio_handler = "file"
"""

_DISK_SIZE = "1G"
_PLUGGED = "/dev/disk/by-id/virtio-more"
# what is written goes to memory
_ENTER = f"""\
mountpoint -q {PLACE} && exit
mkdir -p {PLACE} /run/peers
mount -t tmpfs peers /run/peers
mkdir /run/peers/disk /run/peers/new /run/peers/work
mount -o ro {_PLUGGED} /run/peers/disk
mount -t overlay -o lowerdir=/run/peers/disk,upperdir=/run/peers/new,workdir=/run/peers/work peers {PLACE}
cd {PLACE}
for folder in dev proc sys; do mount --rbind /$folder $folder; done
mount -t tmpfs run run
mkdir run/libvf
"""


def disk() -> Path:
    """The disk as it is made on this machine."""
    key = cache.key_of(SUITE, PACKAGES, _QEMU_CONF, Path(__file__))
    return cache.entry("bench-root", key, _build) / "disk.raw"


@contextmanager
def plugged(node: Node) -> Iterator[None]:
    """While this is open, the node has the disk whenever it starts; one that runs without it is switched off."""
    made = disk()
    if node.daemon.running() and node.execute(["test", "-e", _PLUGGED]).returncode:
        say(f"{node.name} has no disk with libvirt and mdevctl: restarting it")
        node.kill()
    node.more.parent.mkdir(parents=True, exist_ok=True)
    node.more.unlink(missing_ok=True)
    node.more.symlink_to(made.resolve())
    try:
        yield
    finally:
        node.more.unlink()


def enter(node: Node) -> None:
    """Make the folder ready to be entered."""
    done = node.execute(["sh", "-ec", _ENTER])
    if done.returncode:
        raise LabError(f"{node.name} cannot use the disk with libvirt and mdevctl: {done.stderr.decode().strip()}")


def _build(folder: Path) -> None:
    target = folder / "root"
    with step(f"Debian {SUITE} with libvirt and mdevctl"):
        run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, target])
    for unneeded in _UNNEEDED:
        run(["rm", "-rf", target / unneeded])
    (target / "etc/libvirt/qemu.conf").write_text(_QEMU_CONF)
    run(["mke2fs", "-q", "-t", "ext4", "-d", target, folder / "disk.raw", _DISK_SIZE])
    run(["rm", "-rf", target])
