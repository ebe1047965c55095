"""A file of LibVF.IO's -> a VirtualMachine, the GpuPolicies it hints at, and what became of every key. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from libvf_api import names

from libvf_cli.original import arguments, cards, screens, storage
from libvf_cli.original.document import BadOriginal, read
from libvf_cli.original.draft import Draft, Note, Outcome, mapped, truth, whole
from libvf_cli.original.keys import KEYS
from libvf_cli.original.storage import Storage

_LONGEST = 40  # characters of a VM's name: its partitions are named after it
REMARKS = (
    "run strategy Manual is what arcd did: kubectl vf start and stop, and a guest that shuts down stays off",
    "the network card is virtio-net, where LibVF.IO had an emulated Intel one: a Windows guest needs its driver "
    "(spec.guestTools)",
    "memory is reckoned in MiB, video memory too",
)


@dataclass(frozen=True, slots=True)
class Imported:
    """`policies` are the administrator's to apply; `notes` speak of every key of the file."""

    machine: dict[str, Any]
    policies: tuple[dict[str, Any], ...]
    notes: tuple[Note, ...]
    remarks: tuple[str, ...] = REMARKS

    @property
    def told(self) -> tuple[Note, ...]:
        """Those that are not simply carried."""
        return tuple(note for note in self.notes if note.outcome is not Outcome.CARRIED)


def imported(text: str, otherwise: str, store: Storage, name: str = "") -> Imported:
    """The resources for a file's text; `otherwise` is a name where it has none, `name` one that counts instead.

    Raises BadOriginal with the key that makes no sense.
    """
    given = read(text)
    draft = Draft(_named(str(name or given.get("name") or otherwise)), given)
    if "name" in given:
        _tell_name(draft, given["name"])
    _size(draft)
    hidden = not truth("showhypervisor", draft.value("showhypervisor"))
    if hidden:
        draft.spec["hideHypervisor"] = True
    if "showhypervisor" in given:
        draft.carried("showhypervisor", given["showhypervisor"])
    cards.gpus(draft)
    storage.disks(draft, store)
    storage.folder(draft)
    screens.display(draft)
    screens.ports(draft)
    cards.nics(draft)
    arguments.commands(draft)
    arguments.rest(draft, given)
    cards.blacklist(draft)
    meta = {"name": draft.name}
    machine = {"apiVersion": names.API_VERSION, "kind": "VirtualMachine", "metadata": meta, "spec": draft.spec}
    return Imported(machine, tuple(draft.policies), draft.finished())


def _size(draft: Draft) -> None:
    given = mapped("cpus", draft.value("cpus"))
    sizes = {key: whole(f"cpus.{key}", draft.value(f"cpus.{key}", given, key)) for key in _CPUS}
    draft.spec["runStrategy"] = "Manual"
    draft.spec["cpu"] = {key: sizes[key] for key in ("cores", "sockets", "threads")}
    draft.spec["memory"] = {"size": f"{sizes['ramAlloc']}Mi"}
    for key in _CPUS:
        if key in given:
            draft.carried(f"cpus.{key}", given[key])


def _named(text: str) -> str:
    name = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
    if not name:
        raise BadOriginal(f"name: {text!r} gives no name: use --name")
    return (name if name[0].isalpha() else f"vm-{name}")[:_LONGEST].strip("-")


def _tell_name(draft: Draft, given: Any) -> None:
    if given == draft.name:
        draft.carried("name", given)
    else:
        draft.changed("name", given, f"it is {draft.name} here: a name has lower case letters, digits and dashes")


_CPUS = tuple(key.partition(".")[2] for key in KEYS if key.startswith("cpus."))
