"""kernelstub, which makes systemd-boot's entries on Pop!_OS.

Its configuration is changed as a file, and a plain run of it makes the entries. Not `-a` and `-d`: what is left
after `-d` comes back in another order, and the order of words has a meaning (console=, hugepages=).
"""

from __future__ import annotations

from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.forms import Form
from libvf_agent.preparation.loaders.loader import Line, Looked, Place
from libvf_agent.preparation.steps import Remake

CONFIGURATION = "etc/kernelstub/configuration"


class Kernelstub:
    """The configuration's list of options."""

    name = "systemd-boot by kernelstub"
    looked = Looked((CONFIGURATION,), (), ("kernelstub",))

    def boots(self, facts: Facts) -> bool:
        """Where the program and its configuration are there."""
        return CONFIGURATION in facts.seen.texts and "kernelstub" in facts.seen.commands

    def lines(self, facts: Facts) -> tuple[Line, ...]:
        """The one it knows."""
        return (Line((Place(CONFIGURATION, Form.KERNELSTUB),)),)

    def remakes(self, facts: Facts) -> tuple[Remake, ...]:
        """A run without options."""
        return (Remake(("kernelstub",), "the EFI system partition", "it makes systemd-boot's entries"),)
