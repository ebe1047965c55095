"""The one reader of a host: it opens what the planners may ask about, and decides nothing."""

from __future__ import annotations

from libvf_agent.preparation import facts, kvm, modules
from libvf_agent.preparation.facts import Facts, System
from libvf_agent.preparation.loaders import LOOKED_AT
from libvf_agent.preparation.root import HostRoot
from libvf_agent.preparation.snapshot import Snapshot

TEXTS = (
    *facts.OS_RELEASE,
    facts.CPUINFO,
    facts.CMDLINE,
    facts.KERNEL_VERSION,
    facts.SECURE_BOOT,
    *(f"{facts.PCI}/*/{name}" for name in ("class", "vendor", "device")),
    "sys/module/nvidia/version",
    *modules.READS,
    *kvm.READS,
    *LOOKED_AT.texts,
)
LINKS = (f"{facts.PCI}/*/driver",)
NAMES = ("sys/module/*", *LOOKED_AT.names)
COMMANDS = (
    *("update-initramfs", "dracut", "mkinitcpio"),
    *("groupadd", "groupdel", "gpasswd", "udevadm", "nvidia-vgpud", "nvidia-smi"),
    *LOOKED_AT.commands,
)


def read(root: HostRoot, system: System | None = None) -> Facts:
    """The host below the root, as facts; with a `system` its own name is not asked for."""
    version = (root.text(facts.KERNEL_VERSION) or "").strip()
    lists = [f"{folder}/{version}/modules.{kind}" for folder in facts.MODULE_FOLDERS for kind in ("dep", "builtin")]
    texts: dict[str, str] = {}
    for pattern in (*TEXTS, *(lists if version else ())):
        for path in root.glob(pattern):
            text = None if root.path(path).is_dir() else root.text(path)
            if text is not None:
                texts[path] = text
    links = {path: root.link(path) for pattern in LINKS for path in root.glob(pattern)}
    return facts.of(
        Snapshot(
            texts=texts,
            links={path: link for path, link in links.items() if link},
            names=frozenset(name for pattern in NAMES for name in root.glob(pattern)),
            commands=frozenset(name for name in COMMANDS if root.has_command(name)),
        ),
        system,
    )
