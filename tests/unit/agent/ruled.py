"""A host under policies: what is offered, what a claim gets, and what its agent says of each policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from libvf_agent.policies import Rulebook
from libvf_agent.policy_spec import parse
from libvf_agent.policy_status import report
from libvf_agent.slices import Node
from libvf_api.policy_report import CardReport

from tests.fakekernel.host import FakeHost
from tests.fakekernel.pci import PciHost
from tests.fakekernel.situations import PF, amd
from tests.unit.agent.claiming import Claiming

AUDIO = "0000:65:00.1"
FUNCTIONS: dict[str, Any] = {"modes": ["VirtualFunction"], "virtualFunctions": {"count": 4}}
WHOLE: dict[str, Any] = {"modes": ["Passthrough"], "takeFromHost": True}


class Ruled:
    """A host under policies, and what its agent says of them."""

    def __init__(self, kernel: FakeHost, folder: Path, **spec: Any) -> None:
        self.kernel = kernel
        self.bed = Claiming(kernel, folder, Rulebook().rules)
        self.becomes(p=spec)

    def becomes(self, **specs: dict[str, Any]) -> None:
        """These are the policies now, in the order of their age."""
        metas = [{"name": name, "creationTimestamp": f"2026-11-24T10:00:{n:02}Z"} for n, name in enumerate(specs)]
        documents = [{"metadata": meta, "spec": spec} for meta, spec in zip(metas, specs.values(), strict=True)]
        self.book = Rulebook.of(tuple(map(parse, documents)), {})
        self.bed.rules(self.book.rules)

    def told(self, policy: str = "p", card: str = PF) -> CardReport:
        """What is said of the policy on the card."""
        _, look = self.bed.host.look(Node("n1", "uid"))
        [found] = [one for one in report(self.book, look) if one.name == policy]
        return next(one for one in found.cards if one.name == card)

    def made(self, address: str = PF) -> list[str]:
        """The virtual functions of a card."""
        assert isinstance(self.kernel, PciHost)
        return self.kernel.pci.functions[address].vfs

    def stranger(self) -> str:
        """Somebody else has one of the card's functions open; its address."""
        return self.bed.stranger(PF)

    def by_hand(self, count: int, address: str = PF) -> None:
        """Somebody else makes functions that no driver takes."""
        self.kernel.write(f"sys/bus/pci/devices/{address}/sriov_drivers_autoprobe", "0")
        self.kernel.write(f"sys/bus/pci/devices/{address}/sriov_numvfs", str(count))


def ruled(folder: Path, **spec: Any) -> Ruled:
    return Ruled(PciHost(amd()), folder, **spec)
