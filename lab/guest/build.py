"""The guest's disk: a FAT volume with syslinux, Debian's kernel and a small initramfs; made without mounts."""

import shutil
from pathlib import Path

from lab import cache, initramfs
from lab.noderoot import debian_root
from lab.shell import run

INIT = Path(__file__).with_name("init")
DISK_MIB = 24
# mdpy-fb is the framebuffer of the mdpy samples; then the power button, the guest agent's port and cloud-init's seed
MODULES = ["mdpy_fb", "button", "evdev", "virtio_pci", "virtio_console", "virtio_blk", "isofs"]
# loaded only where they are needed, as each takes a second under emulation: a filesystem that is written to is there
# to see how it is left
LATER = {"screen": ["virtio_gpu"], "network": ["virtio_net"], "busy": ["crc32c_generic", "ext4"]}
# every second counts, as guests run in emulation: no probing for what is not there
COMMAND_LINE = (
    "console=ttyS0 console=tty0 quiet loglevel=3 mitigations=off tsc=reliable no_timer_check "
    "fbcon=font:VGA8x16 consoleblank=0 random.trust_cpu=on cryptomgr.notests noreplace-smp "
    "i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd panic=-1"
)


def guest_disk(root: Path | None = None) -> Path:
    """The raw disk image, bootable by SeaBIOS; `root` is a Debian root with a kernel and the sample modules."""
    root = root or debian_root()
    key = cache.key_of(root.parent.name, INIT, Path(__file__), Path(initramfs.__file__))
    return cache.entry("guest", key, lambda folder: build(folder, root)) / "disk.img"


def build(folder: Path, root: Path) -> None:
    """Write disk.img, and beside it the kernel and initramfs it is made of."""
    kernel, initrd, config = folder / "vmlinuz", folder / "initrd", folder / "syslinux.cfg"
    shutil.copy(root / "boot" / f"vmlinuz-{initramfs.kernel_release(root)}", kernel)
    initramfs.build(initrd, root, MODULES, INIT.read_text(), later=LATER)
    config.write_text(f"DEFAULT guest\nPROMPT 0\nLABEL guest\nKERNEL vmlinuz\nINITRD initrd\nAPPEND {COMMAND_LINE}\n")
    disk = folder / "disk.img"
    run(["truncate", "-s", f"{DISK_MIB}M", disk])
    run(["mformat", "-i", disk, "-h", "16", "-s", "63", "-T", str(DISK_MIB * 2048), "::"])
    run(["mcopy", "-i", disk, kernel, initrd, config, "::"])
    run(["syslinux", "--install", disk])
