"""GRUB that reads boot loader entries at boot: Fedora and its kin.

The entries are changed as files and not by grubby, which replaces a word that has the same key and writes the
line's blanks anew, so that its --remove-args would not give back what was there.
"""

from __future__ import annotations

from libvf_agent.preparation import grub_defaults
from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.forms import Form
from libvf_agent.preparation.loaders import entries
from libvf_agent.preparation.loaders.grub import DEFAULTS
from libvf_agent.preparation.loaders.loader import Line, Looked, Place
from libvf_agent.preparation.steps import Remake

_ENTRIES = "boot/loader/entries/*.conf"
_MENU = "boot/grub2/grub.cfg"
_SWITCH = "GRUB_ENABLE_BLSCFG"


class BlsGrub:
    """The entries, /etc/kernel/cmdline for later ones, and /etc/default/grub, from which an entry may be made anew."""

    name = "GRUB with boot loader entries"
    looked = Looked((_ENTRIES, DEFAULTS, entries.CMDLINE), (_MENU,), ("grub2-mkconfig",))

    def boots(self, facts: Facts) -> bool:
        """Where GRUB's settings say that entries are used, and there are some."""
        switched = grub_defaults.words_of(facts.seen.text(DEFAULTS), _SWITCH, DEFAULTS)
        return switched == ("true",) and _MENU in facts.seen.names and bool(entries.of(facts, "boot"))

    def lines(self, facts: Facts) -> tuple[Line, ...]:
        """All of them carry the words, as each may be what the next kernel's entry is made from."""
        text = facts.seen.text(DEFAULTS)
        forms = [form for form in (Form.GRUB_DEFAULT, Form.GRUB_ALL) if grub_defaults.sets(text, form.value, DEFAULTS)]
        defaults = Line(tuple(Place(DEFAULTS, form) for form in forms or [Form.GRUB_ALL]))
        return (*entries.lines(facts, entries.of(facts, "boot")), defaults)

    def remakes(self, facts: Facts) -> tuple[Remake, ...]:
        """Nothing of the entries; the menu beside them follows /etc/default/grub."""
        if "grub2-mkconfig" not in facts.seen.commands:
            return ()
        return (Remake(("grub2-mkconfig", "-o", f"/{_MENU}"), f"/{_MENU}", "the menu beside the entries"),)
