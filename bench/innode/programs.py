"""The peers, in a node: libvirt and mdevctl of Debian's, and Python for the scripts, in a folder entered by chroot.

They are no part of the node's disk, so that no test runs beside them: the folder is sent once, and known by its key.
"""

import subprocess
from pathlib import Path

from lab import cache
from lab.errors import CommandFailed, LabError
from lab.node import Node
from lab.noderoot import SUITE
from lab.progress import step
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

_ENTER = f"""\
cd {PLACE}
for folder in dev proc sys; do mountpoint -q $folder || mount --rbind /$folder $folder; done
mountpoint -q run || mount -t tmpfs run run
mkdir -p run/libvf
"""


def root() -> Path:
    """The folder as it is made on this machine."""
    key = cache.key_of(SUITE, PACKAGES, _QEMU_CONF, Path(__file__))
    return cache.entry("bench-root", key, _build) / "root"


def put(node: Node) -> None:
    """Send it, unless the node has this very one, and make it ready to be entered."""
    made = root()
    stamp = f"{PLACE}/stamp"
    if node.execute(["cat", stamp]).stdout.decode() != made.parent.name:
        with step(f"sending libvirt and mdevctl to {node.name}"):
            _send(node, made)
        _check(node, ["sh", "-c", f"printf %s {made.parent.name} > {stamp}"])
    _check(node, ["sh", "-ec", _ENTER])


def _build(folder: Path) -> None:
    target = folder / "root"
    with step(f"Debian {SUITE} with libvirt and mdevctl"):
        run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, target])
    for unneeded in _UNNEEDED:
        run(["rm", "-rf", target / unneeded])
    (target / "etc/libvirt/qemu.conf").write_text(_QEMU_CONF)


def _send(node: Node, made: Path) -> None:
    _check(node, ["mkdir", "-p", PLACE])
    sent = subprocess.Popen(["tar", "-C", made, "--exclude=./dev/*", "-c", "."], stdout=subprocess.PIPE)
    argv = node.ssh(["tar", "-C", PLACE, "-x"])
    done = subprocess.run(argv, stdin=sent.stdout, capture_output=True, text=True)
    if sent.wait() or done.returncode:
        raise CommandFailed(argv, done.returncode, done.stderr)


def _check(node: Node, argv: list[str]) -> None:
    done = node.execute(argv)
    if done.returncode:
        raise LabError(f"on {node.name}, `{' '.join(argv)[:200]}`: {done.stderr.decode().strip()}")
