"""Kernel modules: loaded at every boot, and nouveau kept off NVIDIA cards."""

from __future__ import annotations

import re

from libvf_agent.errors import PreparationError
from libvf_agent.preparation.facts import NVIDIA, Cpu, Facts
from libvf_agent.preparation.steps import Section, WriteFile
from libvf_agent.preparation.wishes import Wishes

LOAD = "etc/modules-load.d/libvf.conf"
BLACKLIST = "etc/modprobe.d/libvf.conf"
_LOAD_FOLDERS = ("etc/modules-load.d/*.conf", "usr/lib/modules-load.d/*.conf", "lib/modules-load.d/*.conf")
_BLACKLIST_FOLDERS = ("etc/modprobe.d/*.conf", "usr/lib/modprobe.d/*.conf", "lib/modprobe.d/*.conf")
READS = ("etc/modules", *_LOAD_FOLDERS, *_BLACKLIST_FOLDERS)

_NOUVEAU = "blacklist nouveau\noptions nouveau modeset=0\n"


def wanted(facts: Facts, wishes: Wishes) -> tuple[str, ...]:
    """The modules this host needs loaded; PreparationError where GVT-g is asked of a kernel without it."""
    names = ["vfio", "vfio_iommu_type1", "vfio_pci"]
    # on a CPU without virtualisation kvm_intel is refused with EOPNOTSUPP and systemd-modules-load.service fails;
    # once the firmware turns it on, udev loads the module by the CPU's own alias
    if facts.virtualisation:
        names += {Cpu.INTEL: ["kvm_intel"], Cpu.AMD: ["kvm_amd"], Cpu.OTHER: []}[facts.cpu]
    if "mdev" in (facts.kernel.loadable or ()):
        names.append("mdev")
    if wishes.gvt:
        if not facts.kernel.has("kvmgt"):
            raise PreparationError(
                f"--gvt: Linux {facts.kernel.version} has no module kvmgt: leave out --gvt, "
                "or start a kernel built with CONFIG_DRM_I915_GVT_KVMGT"
            )
        names.append("kvmgt")
    return tuple(names)


def load_step(facts: Facts, wishes: Wishes) -> WriteFile | None:
    """The file that has the missing ones loaded at boot; what it lists already stays in it."""
    listed = {name for text in facts.seen.texts_like("etc/modules", *_LOAD_FOLDERS).values() for name in _listed(text)}
    missing = [name for name in wanted(facts, wishes) if name not in listed]
    if not missing:
        return None
    before = facts.seen.text(LOAD) or "# what libvf hands to virtual machines needs these\n"
    before += "" if before.endswith("\n") else "\n"
    content = before + "".join(f"{name}\n" for name in missing)
    return WriteFile(
        LOAD, content, Section.MODULES, "VFIO gives devices to virtual machines; loaded at boot, not by luck"
    )


def keeps_nouveau_off(facts: Facts) -> bool:
    """Whether nouveau is blacklisted already, by whomever."""
    texts = facts.seen.texts_like(*_BLACKLIST_FOLDERS).values()
    return any(re.search(r"^\s*blacklist\s+nouveau\s*$", text, re.MULTILINE) for text in texts)


def blacklist_step(facts: Facts) -> WriteFile | None:
    """The file that keeps nouveau from taking an NVIDIA card; only where there is one."""
    if not facts.cards_of(NVIDIA) or keeps_nouveau_off(facts):
        return None
    before = facts.seen.text(BLACKLIST)
    before += "" if not before or before.endswith("\n") else "\n"
    cards = ", ".join(card.told for card in facts.cards_of(NVIDIA))
    return WriteFile(
        BLACKLIST, before + _NOUVEAU, Section.MODULES, f"nouveau would take {cards} before NVIDIA's driver or vfio-pci"
    )


def not_loaded(facts: Facts, wishes: Wishes) -> tuple[str, ...]:
    """Those that the running kernel has neither loaded nor built in."""
    here = facts.kernel.loaded | facts.kernel.builtin
    return tuple(name for name in wanted(facts, wishes) if name not in here)


def _listed(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line.split()[0].replace("-", "_") for line in lines if line and line[0] not in "#;"]
