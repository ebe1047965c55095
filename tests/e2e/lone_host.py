"""A bare Debian with a card: what tests of one workstation ask of it, and what is to be seen on it."""

import json
import shutil
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lab import initramfs, workstation
from lab.errors import CommandFailed, LabError
from lab.noderoot import debian_root
from lab.progress import say
from lab.shell import run
from lab.wholemachine import CPU_WITH_KVM, WholeMachine

BUNDLE = "/media/libvf-workstation.pyz"
KUBECTL = (
    "KUBECACHEDIR=/var/tmp/kubectl",
    "kubectl",
    "--kubeconfig=/var/lib/libvf-workstation/admin.kubeconfig",
)
MEMORY_MIB = 4096
# an emulated host does in minutes what takes others seconds
SECONDS = 1500.0

# the disk grows on its own place; the card is the kernel's sample, which the host's own kernel lacks; and what Debian
# does once a day it would do just now
_SETTLE = """
set -e
echo ', +' | sfdisk --quiet --no-tell-kernel --force -N 1 /dev/vda
partx -u /dev/vda
resize2fs /dev/vda1
mount -o ro /dev/vdb /media
modprobe -a kvm_amd vfio_iommu_type1 mdev overlay br_netfilter nf_tables
insmod /media/mdpy.ko
systemctl stop apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
systemctl stop apt-daily.service apt-daily-upgrade.service
"""

_LOOK = r"""
import json, os, subprocess

def lines(*argv):
    return subprocess.run(argv, capture_output=True, text=True).stdout.splitlines()

def files():
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if not os.path.ismount(os.path.join(folder, name))]
        for name in [*folders, *names]:
            path = os.path.join(folder, name)
            try:
                now = os.lstat(path)
            except FileNotFoundError:
                continue
            yield f"{path} {now.st_mode:o} {now.st_uid} {now.st_gid}"

def processes():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            yield os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue

settings = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward",
            "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")
print(json.dumps({
    "files": sorted(files()),
    "run": sorted(os.listdir("/run")),
    "mounts": sorted(line.split()[4] for line in open("/proc/self/mountinfo")),
    "links": sorted(os.listdir("/sys/class/net")),
    "units": sorted(line.split()[0] for line in lines("systemctl", "list-unit-files", "--no-legend")),
    "failed": lines("systemctl", "list-units", "--failed", "--no-legend", "--plain"),
    "groups": sorted(folder for folder, _, _ in os.walk("/sys/fs/cgroup") if "kubepods" in folder or "libvf" in folder),
    "programs": sorted(path for path in processes() if "libvf" in path or "runc" in path or "containerd" in path),
    "settings": [open(f"/proc/sys/{name}").read() for name in settings],
    "mdevs": os.listdir("/sys/bus/mdev/devices"),
    "profiles": [line for line in lines("cat", "/sys/kernel/security/apparmor/profiles") if "cri" in line],
}))
"""

_LISTENING = r"""
import ipaddress, json
found = []
for name, size in (("tcp", 4), ("tcp6", 16), ("udp", 4), ("udp6", 16)):
    for line in list(open(f"/proc/net/{name}"))[1:]:
        local, state = line.split()[1], line.split()[3]
        if state in ("0A", "07"):
            words = bytes.fromhex(local.split(":")[0])
            address = b"".join(words[i:i + 4][::-1] for i in range(0, size, 4))
            found.append(str(ipaddress.ip_address(address)))
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A host as it is: what a workstation could have left on it."""

    files: list[str]
    run: list[str]
    mounts: list[str]
    links: list[str]
    units: list[str]
    failed: list[str]
    groups: list[str]
    programs: list[str]
    settings: list[str]
    mdevs: list[str]
    profiles: list[str]


@dataclass(frozen=True, slots=True)
class Running:
    """A host that is up."""

    mdevs: list[str]
    failed: list[str]


def bare(folder: Path, base: Path) -> WholeMachine:
    """A machine with a disk that has room, and beside it one with the bundle and the card's module."""
    machine = WholeMachine(folder, CPU_WITH_KVM, MEMORY_MIB, (_medium(folder),))
    machine.fresh(base, "8G")
    return machine


def settle(machine: WholeMachine) -> None:
    """Room on its disk, the bundle at its place, and a card."""
    release = machine.check(["uname", "-r"]).strip()
    built = initramfs.kernel_release(debian_root())
    if release != built:
        raise LabError(f"the machine's kernel is {release} and the card's module is {built}'s: remove the older of "
                       "whole-disk-* and debian-root-* from the cache")  # fmt: skip
    machine.check(["sh", "-c", _SETTLE])


def seen(machine: WholeMachine) -> Seen:
    """Looks at it."""
    found = json.loads(machine.check(["python3", "-"], stdin=_LOOK.encode(), seconds=SECONDS))
    return Seen(**{field.name: found[field.name] for field in fields(Seen)})


def running(machine: WholeMachine) -> Running:
    """What is made of its card, and units that have failed."""
    mdevs = machine.check(["ls", "/sys/bus/mdev/devices"]).split()
    return Running(mdevs, machine.check(["systemctl", "list-units", "--failed", "--no-legend", "--plain"]).splitlines())


def listening(machine: WholeMachine) -> set[str]:
    """The addresses on which anything of it can be reached."""
    return set(json.loads(machine.check(["python3", "-"], stdin=_LISTENING.encode())))


def command(machine: WholeMachine, *arguments: str) -> str:
    """What the bundle prints as it carries out a command; how long each part took is in the test's own words."""
    argv = ["python3", BUNDLE, *arguments]
    done = machine.execute(argv, seconds=SECONDS)
    for line in done.err.splitlines():
        if "done in" in line:
            say(f"  {line}")
    if done.code:
        raise CommandFailed(argv, done.code, done.out + done.err)
    return done.out


def kubectl(machine: WholeMachine, *arguments: str, stdin: str = "") -> str:
    """kubectl on it, as its administrator."""
    return machine.check([*KUBECTL, *arguments], stdin=stdin.encode(), seconds=SECONDS)


def get(machine: WholeMachine, *what: str) -> dict[str, Any]:
    """One object."""
    return dict(json.loads(kubectl(machine, "get", *what, "-o", "json")))


def _medium(folder: Path) -> Path:
    content, disk = folder / "medium", folder / "medium.img"
    content.mkdir()
    workstation.write(content / Path(BUNDLE).name)
    [module] = debian_root().glob("usr/lib/modules/*/extra/mdpy.ko")
    shutil.copy(module, content)
    run(["truncate", "-s", "2G", disk])
    run(["mke2fs", "-q", "-t", "ext4", "-d", content, disk])
    shutil.rmtree(content)
    return disk
