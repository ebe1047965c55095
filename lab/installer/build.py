"""The installer's CD, made from packages: GRUB, Debian's kernel, an initramfs that installs, and what it installs."""

import shutil
from pathlib import Path

from lab import cache, initramfs
from lab.guest.build import COMMAND_LINE
from lab.noderoot import SUITE, debian_root
from lab.shell import run

FOLDER = Path(__file__).parent
PACKAGES = "grub-pc-bin,grub-common,xorriso,mtools"
_DISK = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"]
_CD = ["ahci", "sr_mod", "isofs"]
# mdpy-fb is the framebuffer of the mdpy samples, the rest is the power button
_SYSTEM = ["mdpy_fb", "button", "evdev"]
_CD_MENU = f"set timeout=0\nmenuentry install {{\n  linux /boot/vmlinuz {COMMAND_LINE}\n  initrd /boot/installer\n}}\n"
# run by GRUB's core itself, which needs no menu and no module from the disk
_DISK_SCRIPT = f"set root=(hd0,msdos1)\nlinux /boot/vmlinuz {COMMAND_LINE}\ninitrd /boot/initrd\nboot\n"
_DISK_MODULES = ["biosdisk", "part_msdos", "ext2", "linux"]
# all that the CD's GRUB needs beside what is built into it; without it a hundred modules are copied
_CD_MODULES = "linux normal configfile biosdisk iso9660"


def grub_root() -> Path:
    """A Debian root with GRUB's tools for BIOS and xorriso: the host may lack them, or have others."""
    return cache.entry("grub-root", cache.key_of(SUITE, PACKAGES), _grub_root) / "root"


def installer_iso() -> Path:
    """The CD, bootable by SeaBIOS; it installs onto the first virtio disk and powers off."""
    parts = (FOLDER, Path(initramfs.__file__), COMMAND_LINE)
    key = cache.key_of(debian_root().parent.name, grub_root().parent.name, *parts)
    return cache.entry("installer", key, _build) / "installer.iso"


def _grub_root(folder: Path) -> None:
    run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, folder / "root"])


def _build(folder: Path) -> None:
    tools, debian = folder / "tools", debian_root()
    # hard links: what is made in it is thrown away again
    run(["cp", "-al", grub_root(), tools])
    work = tools / "work"
    cd = work / "cd"
    for place in ("boot/grub", "disk"):
        (cd / place).mkdir(parents=True)
    shutil.copy(debian / "boot" / f"vmlinuz-{initramfs.kernel_release(debian)}", cd / "boot/vmlinuz")
    initramfs.build(cd / "boot/installer", debian, [*_DISK, *_CD], (FOLDER / "install").read_text())
    initramfs.build(cd / "disk/initrd", debian, [*_DISK, *_SYSTEM], (FOLDER / "start").read_text())
    _system(work / "system", debian, cd / "disk/root.tar")
    _boot_sectors(tools, cd / "disk")
    (cd / "boot/grub/grub.cfg").write_text(_CD_MENU)
    lean = [f"--install-modules={_CD_MODULES}", "--fonts=", "--locales=", "--themes="]
    run(
        [
            "chroot",
            tools,
            "grub-mkrescue",
            "-d",
            "/usr/lib/grub/i386-pc",
            *lean,
            "-o",
            "/work/installer.iso",
            "/work/cd",
        ]
    )
    (work / "installer.iso").rename(folder / "installer.iso")
    shutil.rmtree(tools)


def _system(root: Path, debian: Path, archive: Path) -> None:
    """The root file system that is installed."""
    for place in ("bin", "sbin", "etc", "boot", "dev", "proc", "sys", "tmp"):
        (root / place).mkdir(parents=True)
    shutil.copy(debian / "usr/bin/busybox", root / "bin/busybox")
    for name in ("sh", "cat", "sed", "sync", "chmod", "mkdir", "acpid", "poweroff", "mount"):
        (root / "bin" / name).symlink_to("busybox")
    shutil.copy(FOLDER / "init", root / "sbin/init")
    (root / "sbin/init").chmod(0o755)
    run(["tar", "-C", root, "--owner=0", "--group=0", "-cf", archive, "."])


def _boot_sectors(tools: Path, into: Path) -> None:
    """GRUB for the disk: its boot sector, and its core with the commands that boot the system."""
    (tools / "work/boot.cfg").write_text(_DISK_SCRIPT)
    made = ["-O", "i386-pc", "-c", "/work/boot.cfg", "-p", "(hd0,msdos1)/boot", "-o", "/work/core.img"]
    run(["chroot", tools, "grub-mkimage", *made, *_DISK_MODULES])
    (tools / "work/core.img").rename(into / "core.img")
    shutil.copy(tools / "usr/lib/grub/i386-pc/boot.img", into / "boot.img")
