"""systemd-boot: entries on the boot partition, or unified kernel images with the command line inside."""

from __future__ import annotations

import re

from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.loaders import entries
from libvf_agent.preparation.loaders.loader import Line, Looked
from libvf_agent.preparation.steps import Remake

_FOLDERS = ("boot", "efi", "boot/efi")
_ENTRIES = tuple(f"{folder}/loader/entries/*.conf" for folder in _FOLDERS)
_IMAGES = tuple(f"{folder}/EFI/Linux/*.efi" for folder in _FOLDERS)
_PRESETS = "etc/mkinitcpio.d/*.preset"
_KERNELS = "usr/lib/modules/*/vmlinuz"


class SystemdBoot:
    """Entries and /etc/kernel/cmdline are changed; images are built anew from the latter."""

    name = "systemd-boot"
    looked = Looked((*_ENTRIES, entries.CMDLINE, _PRESETS), (*_IMAGES, _KERNELS), ("kernel-install",))

    def boots(self, facts: Facts) -> bool:
        """Where there are entries for Linux, or images and the file they are built with."""
        return bool(entries.of(facts, *_FOLDERS)) or (_has_images(facts) and bool(self.remakes(facts)))

    def lines(self, facts: Facts) -> tuple[Line, ...]:
        """Each entry's, and the one of later entries and of images."""
        return entries.lines(facts, entries.of(facts, *_FOLDERS))

    def remakes(self, facts: Facts) -> tuple[Remake, ...]:
        """Only where there are images; entries are read at boot as they are."""
        if not _has_images(facts):
            return ()
        presets = facts.seen.texts_like(_PRESETS).values()
        why = "the command line is inside the unified kernel images"
        if any(re.search(r"^\s*\w+_uki=", text, re.MULTILINE) for text in presets):
            return (Remake(("mkinitcpio", "-P"), "EFI/Linux", why),)
        if "kernel-install" not in facts.seen.commands:
            return ()
        kernels = sorted(name for name in facts.seen.names if re.fullmatch(r"usr/lib/modules/[^/]+/vmlinuz", name))
        return tuple(
            Remake(("kernel-install", "add", kernel.split("/")[3], f"/{kernel}"), "EFI/Linux", why)
            for kernel in kernels
        )


def _has_images(facts: Facts) -> bool:
    return entries.CMDLINE in facts.seen.texts and any(facts.seen.has_like(pattern) for pattern in _IMAGES)
