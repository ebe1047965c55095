"""GRUB with a menu made from /etc/default/grub: Debian, Ubuntu, Arch, openSUSE."""

from __future__ import annotations

from libvf_agent.preparation import grub_defaults
from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.forms import Form
from libvf_agent.preparation.loaders.loader import Line, Looked, Place
from libvf_agent.preparation.steps import Remake

DEFAULTS = "etc/default/grub"
# Debian's and Ubuntu's grub-mkconfig sources these after the file; cloud images set the variable in one of them
DROP_INS = "etc/default/grub.d/*.cfg"
MENUS = ("boot/grub/grub.cfg", "boot/grub2/grub.cfg")
_MAKERS = ("update-grub", "grub2-mkconfig", "grub-mkconfig")


class Grub:
    """The file's variables and its drop-ins'; the menu is made anew."""

    name = "GRUB"
    looked = Looked((DEFAULTS, DROP_INS), MENUS, _MAKERS)

    def boots(self, facts: Facts) -> bool:
        """Where there are its settings, its menu and the program that makes the one from the other."""
        seen = facts.seen
        return DEFAULTS in seen.texts and bool(seen.names & set(MENUS)) and bool(seen.commands & set(_MAKERS))

    def lines(self, facts: Facts) -> tuple[Line, ...]:
        """One line: what is set for every start, then what is set for ordinary ones."""
        everywhere = _places(facts, Form.GRUB_ALL)
        ordinary = _places(facts, Form.GRUB_DEFAULT)
        if not everywhere and not ordinary:
            ordinary = (Place(DEFAULTS, Form.GRUB_DEFAULT),)
        return (Line((*everywhere, *ordinary)),)

    def remakes(self, facts: Facts) -> tuple[Remake, ...]:
        """The distribution's own program where it has one, as that knows where the menu is."""
        maker = next(name for name in _MAKERS if name in facts.seen.commands)
        menu = next(menu for menu in reversed(MENUS) if menu in facts.seen.names)
        argv = (maker,) if maker == "update-grub" else (maker, "-o", f"/{menu}")
        return (Remake(argv, f"/{menu}", "GRUB starts what is in its menu"),)


def _places(facts: Facts, form: Form) -> tuple[Place, ...]:
    """The files that make the variable's final value, in the order in which they are sourced."""
    places: list[Place] = []
    drop_ins = DROP_INS if "update-grub" in facts.seen.commands else ""
    for path, text in facts.seen.texts_like(DEFAULTS, drop_ins).items():
        if grub_defaults.sets(text, form.value, path):
            kept = [] if grub_defaults.replaces(text, form.value, path) else places
            places = [*kept, Place(path, form)]
    return tuple(places)
