"""The initramfs: which tool of this host makes it anew."""

from __future__ import annotations

from libvf_agent.errors import UnknownLayout
from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.steps import Remake

_TOOLS: dict[str, tuple[str, ...]] = {
    # of itself it takes only the newest kernel's, and an older one may be what is started
    "update-initramfs": ("update-initramfs", "-u", "-k", "all"),
    "mkinitcpio": ("mkinitcpio", "-P"),
    "dracut": ("dracut", "-f", "--regenerate-all"),
}


def tool(facts: Facts) -> str | None:
    """The host's tool; where several are installed, its family's own comes first."""
    here = [name for name in _TOOLS if name in facts.seen.commands]
    if facts.system.is_like("fedora", "rhel", "suse", "opensuse"):
        here.sort(key=lambda name: name != "dracut")
    return here[0] if here else None


def remake(facts: Facts, why: str) -> Remake:
    """The step; UnknownLayout where there is no tool known here."""
    name = tool(facts)
    if name is None:
        raise UnknownLayout(
            f"{facts.system.name} has none of {', '.join(_TOOLS)}: install the one it uses, or keep nouveau out of "
            "its initramfs by hand (blacklist nouveau) and run this again"
        )
    return Remake(_TOOLS[name], "the initramfs", why)
