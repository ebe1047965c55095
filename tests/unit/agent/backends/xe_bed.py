"""One card of Intel's xe driver on the fake kernel, and the agent; what somebody else does to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from libvf_agent.rules import Quota, RulesOf

from tests.fakekernel.pci import ROOT
from tests.fakekernel.situations import PF, rules
from tests.fakekernel.xe import GIB, MIB, Share, XeCard, XeHost, arc
from tests.unit.agent.claiming import Claiming

HOME = f"{ROOT}/{PF}"
SIZES = Quota(sizes=(2 * GIB, 4 * GIB))
CUT = rules(functions=6, quota=SIZES)


class Bed(Claiming):
    """One card of the driver, and the agent."""

    def __init__(self, folder: Path, of: RulesOf = CUT, card: XeCard | None = None, **host: object) -> None:
        self.card = card or arc()
        kernel = XeHost(self.card, **host)  # type: ignore[arg-type]
        super().__init__(kernel, folder, of, self.card.function.address)
        self.xe = kernel.xe

    def by_hand(self, path: str, value: str) -> None:
        """Somebody else writes to the card's tree."""
        self.kernel.tree.write(f"sys/bus/pci/devices/{self.card.function.address}/{path}", value)

    def enable(self, count: int) -> None:
        """Somebody else enables functions, and lets no driver of the host have them."""
        self.by_hand("sriov_drivers_autoprobe", "0")
        self.by_hand("sriov_numvfs", str(count))

    def quotas(self) -> list[int]:
        """What each function has, in MiB, from the first to the last that has any."""
        found = [share.quota // MIB for share in self.card.shares[1:]]
        return found[: max((n for n, quota in enumerate(found, start=1) if quota), default=0)]

    def share(self, facts: dict[str, str | int | bool]) -> Share:
        """What the function of a claim has."""
        return self.card.shares[1 + self.card.function.vfs.index(str(facts["pciAddress"]))]

    def driver(self, address: object) -> str:
        """Who has a function."""
        return self.xe.functions[str(address)].driver


def sizes(names: list[str]) -> Counter[str]:
    """How many there are of each type."""
    return Counter(name.rpartition("-")[0] for name in names)
