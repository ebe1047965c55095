"""A whole disk as an installer leaves it: Debian on one partition, its kernel and initramfs in /boot, GRUB before it.

Made without loop devices: the file system is written into the partition from a folder, and what an installer does on
the machine itself (the initramfs, the boot sector, GRUB's menu) the machine does in its first start.
"""

import re
import shutil
from pathlib import Path

from lab import cache
from lab.errors import LabError
from lab.noderoot import SUITE
from lab.progress import step
from lab.shell import run
from lab.wholemachine import DirectBoot, WholeMachine

PACKAGES = (
    "systemd-sysv,udev,dbus,kmod,procps,fdisk,e2fsprogs,linux-image-amd64,initramfs-tools,zstd,grub-pc,"
    "qemu-guest-agent,python3,python3-msgspec"
)
USER = "ada"
DISK_SIZE = "2G"
# where partitions begin since disks have blocks of 4 KiB; GRUB's core image is in the gap before it
PARTITION_OFFSET = 1 << 20
_UUID = "3f2a7c1e-5d0b-4c8e-9a61-0d6e2b7f4c55"
_PARTITIONS = f"label: dos\nlabel-id: 0x6c766600\nstart={PARTITION_OFFSET >> 9}, type=83, bootable\n"
_FSTAB = f"UUID={_UUID} / ext4 errors=remount-ro 0 1\n"
# Debian's kernel turns VT-d on by itself; somebody turned it off here, as many a guide for old boards says
_CMDLINE = "console=ttyS0 intel_iommu=off"
_SERIAL = 'GRUB_TERMINAL=serial\nGRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"\n'
# the installer's choice "targeted", not "generic": to make that initramfs takes 45 s under emulation instead of 100
_TARGETED = ("MODULES=most", "MODULES=dep")
_FIRST_START = (("update-initramfs", "-u", "-k", "all"), ("grub-install", "/dev/vda"), ("update-grub",))
_MINUTES = 600.0


def whole_disk() -> Path:
    """The raw disk, made once."""
    key = cache.key_of(SUITE, PACKAGES, Path(__file__))
    return cache.entry("whole-disk", key, _build) / "disk.raw"


def _build(folder: Path) -> None:
    root = folder / "root"
    with step(f"Debian {SUITE} for a host of its own"):
        run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, root])
    _settle(root)
    boot = _direct_boot(root, folder)
    _write(root, folder / "disk.raw")
    shutil.rmtree(root)
    with step("its first start: initramfs, boot sector and menu, made by the machine itself"):
        _first_start(folder, boot)


def _settle(root: Path) -> None:
    """What the questions of an installer are about."""
    (root / "etc/fstab").write_text(_FSTAB)
    (root / "etc/hostname").write_text("host\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 host\n")
    defaults = root / "etc/default/grub"
    text, changed = re.subn(r'^(GRUB_CMDLINE_LINUX)=""$', rf'\1="{_CMDLINE}"', defaults.read_text(), flags=re.MULTILINE)
    if changed != 1:
        raise LabError(f"{defaults} has no empty GRUB_CMDLINE_LINUX, as grub-pc brought it: mend {Path(__file__).name}")
    text = re.sub(r"^GRUB_TIMEOUT=.*$", "GRUB_TIMEOUT=1", text, flags=re.MULTILINE)
    defaults.write_text(text + _SERIAL)
    initramfs = root / "etc/initramfs-tools/initramfs.conf"
    initramfs.write_text(initramfs.read_text().replace(*_TARGETED))
    run(["chroot", root, "useradd", "--create-home", USER])


def _direct_boot(root: Path, folder: Path) -> DirectBoot:
    """The first start has no boot loader yet: QEMU loads the kernel."""
    boot = DirectBoot(folder / "vmlinuz", folder / "initrd", f"root=UUID={_UUID} ro console=ttyS0 quiet")
    for name, target in (("vmlinuz", boot.kernel), ("initrd.img", boot.initrd)):
        [source] = (root / "boot").glob(f"{name}-*")
        shutil.copy(source, target)
    return boot


def _write(root: Path, disk: Path) -> None:
    """Partition table and file system; sfdisk is the root's own, as the host may lack it."""
    inside = root / "disk.raw"
    run(["truncate", "-s", DISK_SIZE, inside])
    run(["chroot", root, "sfdisk", "--quiet", "/disk.raw"], stdin=_PARTITIONS)
    inside.rename(disk)
    blocks = (disk.stat().st_size - PARTITION_OFFSET) >> 12
    options = ["-b", "4096", "-U", _UUID, "-E", f"offset={PARTITION_OFFSET}"]
    run(["mke2fs", "-q", "-t", "ext4", *options, "-d", root, disk, blocks])


def _first_start(folder: Path, boot: DirectBoot) -> None:
    machine = WholeMachine(folder)
    machine.start(folder / "disk.raw", boot)
    try:
        machine.wait_up()
        for argv in _FIRST_START:
            machine.check(argv, seconds=_MINUTES)
        machine.power_off()
    finally:
        machine.kill()
    boot.kernel.unlink()
    boot.initrd.unlink()
