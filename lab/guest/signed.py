"""A guest that boots under enforced Secure Boot: Debian's shim, GRUB and kernel, all signed; by BIOS it boots as well.

Its init says on the serial console what it finds of firmware, TPM and shared folders.
"""

import shutil
from pathlib import Path

from lab import cache, initramfs
from lab.emulator import SUITE
from lab.noderoot import debian_root
from lab.shell import run

INIT = Path(__file__).with_name("signed.init")
PACKAGES = "shim-signed,grub-efi-amd64-signed"
DISK_MIB = 32
MODULES = ["efivarfs", "button", "evdev"]
COMMAND_LINE = "console=ttyS0 quiet loglevel=3 mitigations=off tsc=reliable no_timer_check cryptomgr.notests panic=-1"
# shim looks for GRUB beside itself, and Debian's GRUB for its configuration in /EFI/debian
PLACES = {
    "usr/lib/shim/shimx64.efi.signed": "::/EFI/BOOT/BOOTX64.EFI",
    "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": "::/EFI/BOOT/grubx64.efi",
}
GRUB = f"linux /vmlinuz {COMMAND_LINE}\ninitrd /initrd\nboot\n"
SYSLINUX = f"DEFAULT guest\nPROMPT 0\nLABEL guest\nKERNEL vmlinuz\nINITRD initrd\nAPPEND {COMMAND_LINE}\n"


def signed_disk() -> Path:
    """The raw disk image."""
    root = debian_root()
    key = cache.key_of(root.parent.name, INIT, Path(__file__), Path(initramfs.__file__))
    return cache.entry("guest-signed", key, lambda folder: _build(folder, root)) / "disk.img"


def _build(folder: Path, root: Path) -> None:
    loaders = folder / "loaders"
    run(["mmdebstrap", "--variant=extract", f"--include={PACKAGES}", SUITE, loaders])
    shutil.copy(root / "boot" / f"vmlinuz-{initramfs.kernel_release(root)}", folder / "vmlinuz")
    initramfs.build(folder / "initrd", root, MODULES, INIT.read_text())
    (folder / "grub.cfg").write_text(GRUB)
    (folder / "syslinux.cfg").write_text(SYSLINUX)
    disk = folder / "disk.img"
    run(["truncate", "-s", f"{DISK_MIB}M", disk])
    run(["mformat", "-i", disk, "-h", "16", "-s", "63", "-T", str(DISK_MIB * 2048), "::"])
    run(["mmd", "-i", disk, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"])
    run(["mcopy", "-i", disk, folder / "vmlinuz", folder / "initrd", folder / "syslinux.cfg", "::"])
    run(["mcopy", "-i", disk, folder / "grub.cfg", "::/EFI/debian"])
    for file, place in PLACES.items():
        run(["mcopy", "-i", disk, loaders / file, place])
    run(["syslinux", "--install", disk])
    shutil.rmtree(loaders)
