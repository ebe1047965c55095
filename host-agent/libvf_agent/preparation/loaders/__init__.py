"""How hosts boot: one module a way, and the choice between them."""

from __future__ import annotations

from libvf_agent.errors import UnknownLayout
from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.loaders.bls import BlsGrub
from libvf_agent.preparation.loaders.grub import Grub
from libvf_agent.preparation.loaders.kernelstub import Kernelstub
from libvf_agent.preparation.loaders.loader import Loader, Looked
from libvf_agent.preparation.loaders.systemd_boot import SystemdBoot

# the more special come first: Pop!_OS has entries as well, Fedora has /etc/default/grub as well
LOADERS: tuple[Loader, ...] = (Kernelstub(), BlsGrub(), Grub(), SystemdBoot())

# what systemd-boot says of itself, where GRUB is installed beside it; four bytes of attributes, then UTF-16
_LOADER_INFO = "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_OSTREE = "run/ostree-booted"

LOOKED_AT = Looked(
    texts=(*(text for loader in LOADERS for text in loader.looked.texts), _LOADER_INFO),
    names=(*(name for loader in LOADERS for name in loader.looked.names), _OSTREE),
    commands=tuple(command for loader in LOADERS for command in loader.looked.commands),
)


def find(facts: Facts) -> Loader | None:
    """How this host boots, None where that is not known here."""
    found = [loader for loader in LOADERS if loader.boots(facts)]
    if _started_by_systemd_boot(facts):
        found.sort(key=lambda loader: isinstance(loader, Grub | BlsGrub))
    return found[0] if found and _OSTREE not in facts.seen.names else None


def unknown(facts: Facts, words: tuple[str, ...]) -> UnknownLayout:
    """The error that says what was looked for and which words to add by hand."""
    if _OSTREE in facts.seen.names:
        adds = " ".join(f"--append={word}" for word in words)
        return UnknownLayout(
            f"{facts.system.name} is an image that only rpm-ostree changes: run rpm-ostree kargs {adds}, reboot, "
            "and run this again"
        )
    looked = "; ".join(_told(loader) for loader in LOADERS)
    return UnknownLayout(
        f"how {facts.system.name} boots is not known here (looked, as this user may, for {looked}): "
        f"add these words to the kernel command line by hand, reboot, and run this again: {' '.join(words)}"
    )


def _told(loader: Loader) -> str:
    files = ", ".join(f"/{path}" for path in (*loader.looked.texts, *loader.looked.names))
    programs = f" and one of {', '.join(loader.looked.commands)}" if loader.looked.commands else ""
    return f"{loader.name}: {files}{programs}"


def _started_by_systemd_boot(facts: Facts) -> bool:
    return "systemd-boot" in facts.seen.text(_LOADER_INFO).replace("\0", "")
