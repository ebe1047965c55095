"""Small trees that look like hosts, and the programs of theirs that make one file from others.

The programs do what the real ones do as far as files are concerned: the menu is made by a real shell sourcing
/etc/default/grub, so a test sees the words that the kernel would be started with.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "6.12.9"
INTEL_UHD, INTEL_ARC, NVIDIA_A2 = "8086:5912", "8086:56a0", "10de:25b6"

KVM_RULE = 'KERNEL=="kvm", GROUP="kvm", MODE="0660", OPTIONS+="static_node=kvm"\n'
MODULES = (
    "kernel/virt/vfio/vfio.ko.zst",
    "kernel/virt/vfio/vfio_iommu_type1.ko",
    "kernel/virt/vfio/pci/vfio-pci.ko.xz",
)
KVM_MODULES = ("kernel/arch/x86/kvm/kvm-intel.ko", "kernel/arch/x86/kvm/kvm-amd.ko")
GVT_MODULES = ("kernel/drivers/gpu/drm/i915/kvmgt.ko.zst", "kernel/drivers/vfio/mdev/mdev.ko")


def base(cpu: str) -> dict[str, str]:
    """What every host has."""
    vendor, flag = {"intel": ("GenuineIntel", "vmx"), "amd": ("AuthenticAMD", "svm")}[cpu]
    return {
        "proc/cpuinfo": f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: fpu {flag} sse\n",
        "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet\n",
        "proc/sys/kernel/osrelease": f"{VERSION}\n",
        f"usr/lib/modules/{VERSION}/modules.dep": "".join(f"{m}: \n" for m in (*MODULES, *KVM_MODULES, *GVT_MODULES)),
        f"usr/lib/modules/{VERSION}/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
        f"usr/lib/modules/{VERSION}/vmlinuz": "kernel\n",
        "usr/lib/udev/rules.d/50-udev-default.rules": KVM_RULE,
        "etc/group": "root:x:0:\nvideo:x:44:ada\nkvm:x:104:\n",
        "etc/modprobe.d/sound.conf": "options snd_hda_intel power_save=1\n",
        "etc/udev/rules.d/10-mine.rules": "# mine\n",
        "var/lib/dpkg/status": "",
    }


def os_release(name: str, id_: str, like: str = "") -> dict[str, str]:
    """/etc/os-release."""
    return {"etc/os-release": f'PRETTY_NAME="{name}"\nID={id_}\nID_LIKE="{like}"\n# end\n'}


GRUB = """# If you change this file, run 'update-grub' afterwards.
GRUB_DEFAULT=0
GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR=`( . /etc/os-release; echo ${NAME:-Debian} ) 2>/dev/null`
GRUB_CMDLINE_LINUX_DEFAULT="quiet console=tty0  console=ttyS0"
GRUB_CMDLINE_LINUX=""
#GRUB_TERMINAL=console
"""
ENTRY = (
    "title  {title}\n# by hand\nversion 6.12\nlinux  /vmlinuz-{title}\ninitrd /initrd\noptions  root=UUID=1 rw  quiet\n"
)
FEDORA_GRUB = 'GRUB_TIMEOUT=5\nGRUB_ENABLE_BLSCFG=true\nGRUB_CMDLINE_LINUX="rhgb quiet"\nGRUB_DISABLE_RECOVERY="true"'
KERNELSTUB = {
    "default": {"kernel_options": ["quiet", "splash"], "esp_path": "/boot/efi"},
    "user": {"kernel_options": ["quiet", "console=tty0", "console=ttyS0"], "esp_path": "/boot/efi", "config_rev": 4},
}
KERNELSTUB_ENTRY = "boot/efi/loader/entries/Pop_OS-current.conf"
UKI = "efi/EFI/Linux/arch-linux.efi"


@dataclass(frozen=True)
class Layout:
    """A distribution's way of booting: its files, its programs, and the menus or entries it starts from."""

    name: str
    files: dict[str, str]
    programs: tuple[str, ...]
    starts: tuple[str, ...]
    derive: tuple[tuple[str, ...], ...] = ()


LAYOUTS = (
    Layout(
        "debian",
        {**os_release("Debian GNU/Linux 13 (trixie)", "debian"), "etc/default/grub": GRUB},
        ("update-grub", "grub-mkconfig", "update-initramfs"),
        ("boot/grub/grub.cfg",),
        (("update-grub",), ("update-initramfs", "-u", "-k", "all")),
    ),
    Layout(
        "ubuntu-cloud",
        {
            **os_release("Ubuntu 24.04.3 LTS", "ubuntu", "debian"),
            "etc/default/grub": GRUB,
            "etc/default/grub.d/50-cloudimg-settings.cfg": "# cloud\nGRUB_CMDLINE_LINUX_DEFAULT='console=tty1 quiet'\n",
            "etc/default/grub.d/60-more.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT panic=1"\n',
        },
        ("update-grub", "grub-mkconfig", "update-initramfs"),
        ("boot/grub/grub.cfg",),
        (("update-grub",), ("update-initramfs", "-u", "-k", "all")),
    ),
    Layout(
        "pop",
        {
            **os_release("Pop!_OS 22.04 LTS", "pop", "ubuntu debian"),
            "etc/kernelstub/configuration": json.dumps(KERNELSTUB, indent=2),
        },
        ("kernelstub", "update-initramfs"),
        (KERNELSTUB_ENTRY,),
        (("kernelstub",), ("update-initramfs", "-u", "-k", "all")),
    ),
    Layout(
        "arch-grub",
        {**os_release("Arch Linux", "arch"), "etc/default/grub": GRUB},
        ("grub-mkconfig", "mkinitcpio"),
        ("boot/grub/grub.cfg",),
        (("grub-mkconfig", "-o", "/boot/grub/grub.cfg"), ("mkinitcpio", "-P")),
    ),
    Layout(
        "arch-systemd-boot",
        {
            **os_release("Arch Linux", "arch"),
            "boot/loader/entries/arch.conf": ENTRY.format(title="arch"),
            "boot/loader/entries/lts.conf": ENTRY.format(title="lts").rstrip("\n"),
            "boot/loader/entries/windows.conf": "title Windows\nefi /EFI/Microsoft/Boot/bootmgfw.efi\n",
        },
        ("mkinitcpio", "kernel-install"),
        ("boot/loader/entries/arch.conf", "boot/loader/entries/lts.conf"),
        (("mkinitcpio", "-P"),),
    ),
    Layout(
        "arch-unified-image",
        {
            **os_release("Arch Linux", "arch"),
            "etc/kernel/cmdline": "# the root\nroot=UUID=1 rw\nquiet\n",
            "etc/mkinitcpio.d/linux.preset": f"PRESETS=('default')\ndefault_uki=\"/{UKI}\"\n",
        },
        ("mkinitcpio",),
        (UKI,),
        (("mkinitcpio", "-P"),),
    ),
    Layout(
        "fedora",
        {
            **os_release("Fedora Linux 42", "fedora"),
            "etc/default/grub": FEDORA_GRUB,
            "etc/kernel/cmdline": "root=UUID=1 ro rhgb quiet\n",
            "boot/loader/entries/0123-6.12.conf": ENTRY.format(title="fedora"),
            "boot/loader/entries/0123-0-rescue.conf": ENTRY.format(title="rescue"),
        },
        ("grub2-mkconfig", "grubby", "dracut", "kernel-install"),
        ("boot/loader/entries/0123-6.12.conf", "boot/loader/entries/0123-0-rescue.conf"),
        (("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"), ("dracut", "-f", "--regenerate-all")),
    ),
    Layout(
        "opensuse",
        {**os_release("openSUSE Leap 16.0", "opensuse-leap", "suse opensuse"), "etc/default/grub": GRUB},
        ("grub2-mkconfig", "dracut"),
        ("boot/grub2/grub.cfg",),
        (("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"), ("dracut", "-f", "--regenerate-all")),
    ),
)
LAYOUT = {layout.name: layout for layout in LAYOUTS}


@dataclass
class Host:
    """A tree on disk with its programs; `ran` is what was run, `fails` makes a program say no."""

    root: Path
    layout: Layout
    ran: list[str] = field(default_factory=list)
    fails: Callable[[], BaseException] | None = None

    def run(self, argv: tuple[str, ...]) -> None:
        """The door to programs."""
        self.ran.append(" ".join(argv))
        if self.fails:
            raise self.fails()
        _PROGRAMS[argv[0]](self, argv)

    def read(self, path: str) -> str:
        """A file's text."""
        return (self.root / path).read_text()

    def write(self, path: str, text: str) -> None:
        """Somebody writes a file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        """Somebody edits a file."""
        assert old in self.read(path)
        self.write(path, self.read(path).replace(old, new))

    def derive(self) -> None:
        """As if every program had been run by whoever installed the host."""
        for argv in self.layout.derive:
            _PROGRAMS[argv[0]](self, argv)

    def starts_with(self) -> list[list[str]]:
        """The words that the kernel gets at the next start, for each way of starting it."""
        texts = [self.read(path) for path in self.layout.starts]
        return [re.findall(r"\S+", line) for text in texts for line in re.findall(r"^options(.*)$", text, re.M)]

    def tree(self, without: str = "") -> dict[str, tuple[str, int, int, int]]:
        """Every file and folder, with content, mode and owner; but for what is below `without`."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if without and (name + "/").startswith(without + "/"):
                continue
            now = path.lstat()
            content = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = (content, now.st_mode, now.st_uid, now.st_gid)
        return found


def make(root: Path, layout: str, cpu: str = "intel", cards: tuple[str, ...] = (), **files: str) -> Host:
    """A host in `root`, as it comes from its installer; `files` by path with __ for /."""
    host = Host(root, LAYOUT[layout])
    for path, text in {**base(cpu), **host.layout.files}.items():
        host.write(path, text)
    for number, card in enumerate(cards):
        folder = f"sys/bus/pci/devices/0000:0{number}:00.0"
        vendor, device = card.split(":")
        for name, text in (("class", "0x030000"), ("vendor", f"0x{vendor}"), ("device", f"0x{device}")):
            host.write(f"{folder}/{name}", f"{text}\n")
    for program in (*host.layout.programs, "groupadd", "groupdel", "gpasswd", "udevadm"):
        host.write(f"usr/sbin/{program}", "")
    for path, text in files.items():
        host.write(path.replace("__", "/"), text)
    (root / "etc/modprobe.d/sound.conf").chmod(0o640)
    for path in ("etc/default/grub", "etc/kernelstub/configuration", "boot/loader/entries/arch.conf"):
        if (root / path).exists():
            (root / path).chmod(0o664)
    host.derive()
    return host


def _grub(host: Host, argv: tuple[str, ...]) -> None:
    menu = argv[2].lstrip("/") if len(argv) > 1 else "boot/grub/grub.cfg"
    files = [host.root / "etc/default/grub"]
    files += sorted((host.root / "etc/default/grub.d").glob("*.cfg")) if argv == ("update-grub",) else []
    sourced = "".join(f". '{file}'; " for file in files)
    script = f'{sourced} printf "%s %s" "$GRUB_CMDLINE_LINUX" "$GRUB_CMDLINE_LINUX_DEFAULT"'
    words = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    host.write(menu, f"menuentry\noptions root=UUID=1 {words}\n")


def _kernelstub(host: Host, argv: tuple[str, ...]) -> None:
    settings = json.loads(host.read("etc/kernelstub/configuration"))
    host.write("etc/kernelstub/configuration", json.dumps(settings, indent=2))
    words = " ".join(settings["user"]["kernel_options"])
    host.write(KERNELSTUB_ENTRY, f"title Pop!_OS\nlinux /vmlinuz\noptions root=UUID=1 ro {words}\n")


def _initramfs(host: Host, argv: tuple[str, ...]) -> None:
    texts = [path.read_text() for path in sorted((host.root / "etc/modprobe.d").glob("*.conf"))]
    host.write("boot/initrd", "".join(texts))
    if (host.root / "etc/mkinitcpio.d").exists():
        lines = host.read("etc/kernel/cmdline").splitlines()
        host.write(UKI, f"options {' '.join(line for line in lines if not line.startswith('#'))}\n")


def _group(host: Host, argv: tuple[str, ...]) -> None:
    lines = host.read("etc/group").splitlines(keepends=True)
    if argv[0] == "groupadd":
        assert not any(line.startswith("kvm:") for line in lines), "exit code 9"
        lines.append("kvm:x:992:\n")
    elif argv[0] == "groupdel":
        assert any(line.startswith("kvm:") for line in lines), "exit code 6"
        lines = [line for line in lines if not line.startswith("kvm:")]
    else:
        lines = [_member(line, argv) if line.startswith("kvm:") else line for line in lines]
    host.write("etc/group", "".join(lines))


def _member(line: str, argv: tuple[str, ...]) -> str:
    _, option, user, _ = argv
    start, _, names = line.rstrip("\n").rpartition(":")
    members = [name for name in names.split(",") if name]
    assert (user in members) == (option == "--delete"), "gpasswd says no"
    members = [name for name in members if name != user] if option == "--delete" else [*members, user]
    return f"{start}:{','.join(members)}\n"


_PROGRAMS: dict[str, Callable[[Host, tuple[str, ...]], None]] = {
    **dict.fromkeys(("update-grub", "grub-mkconfig", "grub2-mkconfig"), _grub),
    **dict.fromkeys(("update-initramfs", "mkinitcpio", "dracut"), _initramfs),
    **dict.fromkeys(("groupadd", "groupdel", "gpasswd"), _group),
    "kernelstub": _kernelstub,
    "udevadm": lambda host, argv: None,  # it changes no file
}
