"""The kernel command line: which words this host needs, and the edits that bring them there."""

from __future__ import annotations

from dataclasses import dataclass

from libvf_agent.errors import PreparationError
from libvf_agent.preparation import hugepages, words
from libvf_agent.preparation.facts import INTEL, Cpu, Facts
from libvf_agent.preparation.loaders.loader import Line, Place
from libvf_agent.preparation.steps import Edit, EditKernelCommandLine
from libvf_agent.preparation.wishes import Wishes

_IOMMU = "the IOMMU keeps a device that a virtual machine has inside that machine's memory"
_PASS = "iommu=pt spares the host's own devices the cost of it"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words to be there, and why."""

    words: tuple[str, ...]
    why: str


def wanted(facts: Facts, wishes: Wishes) -> tuple[Wanted, ...]:
    """Everything but huge pages; PreparationError where a wish does not fit the host's GPUs."""
    found = []
    if facts.cpu is Cpu.INTEL:
        found.append(Wanted(("intel_iommu=on", "iommu=pt"), f"{_IOMMU}; {_PASS}"))
    if facts.cpu is Cpu.AMD:
        # AMD's is on by itself, and amd_iommu=on is "AMD-Vi: Unknown option" to the kernel
        found.append(Wanted(("iommu=pt",), f"{_IOMMU}; {_PASS}"))
    if wishes.gvt:
        cards = [card for card in facts.cards_of(INTEL) if card.has_gvt]
        if not cards:
            raise PreparationError(f"--gvt: no GPU here is one GVT-g can share ({_shown(facts)}): leave out --gvt")
        found.append(Wanted(("i915.enable_gvt=1",), f"i915 then shares {cards[0].told} by GVT-g"))
    if wishes.xe_max_vfs is not None:
        if not facts.cards_of(INTEL):
            raise PreparationError(f"--xe-max-vfs: no Intel GPU is here ({_shown(facts)}): leave it out")
        word = f"xe.max_vfs={wishes.xe_max_vfs}"
        found.append(Wanted((word,), "xe then offers that many virtual functions a card"))
    return tuple(found)


def missing(present: tuple[str, ...], facts: Facts, wishes: Wishes) -> words.Change:
    """What a command line with these words lacks."""
    change = words.change(present, [word for one in wanted(facts, wishes) for word in one.words])
    return words.Change((*change.add, *hugepages.missing(present, wishes.hugepages)), change.remove)


def running(facts: Facts, wishes: Wishes) -> words.Change:
    """What the kernel that runs was started without, or with although it says the contrary."""
    change = words.change(facts.kernel.words, [word for one in wanted(facts, wishes) for word in one.words])
    pages = hugepages.lacking(facts.kernel.words, wishes.hugepages)
    return words.Change((*change.add, *(f"hugepages={one.count} of {one.size}" for one in pages)), change.remove)


def steps(lines: tuple[Line, ...], facts: Facts, wishes: Wishes) -> tuple[EditKernelCommandLine, ...]:
    """One step a file; a file in which everything is so already gets none."""
    edits: dict[str, list[Edit]] = {}
    for line in lines:
        present = tuple(word for place in line.places for word in place.words(facts.seen))
        change = missing(present, facts, wishes)
        for place in line.places:
            edit = _edit(place, change, facts, last=place is line.places[-1])
            if edit.add or edit.remove:
                edits.setdefault(place.path, []).append(edit)
    return tuple(EditKernelCommandLine(path, tuple(some), _why(some, facts, wishes)) for path, some in edits.items())


def _edit(place: Place, change: words.Change, facts: Facts, last: bool) -> Edit:
    here = place.words(facts.seen)
    remove = tuple(word for word in here if word in change.remove)
    return Edit(place.form, change.add if last else (), remove)


def _why(edits: list[Edit], facts: Facts, wishes: Wishes) -> str:
    added = {word for edit in edits for word in edit.add}
    removed = [word for edit in edits for word in edit.remove]
    reasons = [one.why for one in wanted(facts, wishes) if added & set(one.words)]
    if any(word.startswith("hugepages=") for word in added):
        reasons.append("memory of virtual machines is set aside at boot, while it is in one piece")
    if removed:
        reasons.append(f"{' '.join(removed)} says the contrary; --undo puts it back")
    return "; ".join(reasons)


def _shown(facts: Facts) -> str:
    return ", ".join(card.told for card in facts.cards) or "no GPU at all"
