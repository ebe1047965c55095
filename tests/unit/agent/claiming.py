"""A host's agent on a fake kernel, asked as kubelet asks: claims in, facts out."""

from __future__ import annotations

from pathlib import Path

from libvf_agent.backends.known import known
from libvf_agent.claims import Claim, parse
from libvf_agent.doors import Doors
from libvf_agent.host import Host, Places
from libvf_agent.policy_status import Seen
from libvf_agent.rules import RulesOf
from libvf_agent.slices import Json, Node, pool_name
from libvf_agent.steps import Facts
from libvf_agent.sysfs import Sysfs
from libvf_api.quantity import to_bytes

from tests.fakekernel.host import FakeHost
from tests.fakekernel.pci import PciHost


class Claiming:
    """The agent of node n1, with rules for its cards; `card` is the pool that claims are for."""

    def __init__(self, kernel: FakeHost, folder: Path, rules: RulesOf, card: str = "0000:65:00.0") -> None:
        self.kernel = kernel
        self.pool = pool_name("n1", card)
        self._places = Places(folder / "state", folder / "cdi", folder / "metadata")
        self.host = Host("n1", Doors(Sysfs(kernel), accelerated=lambda: True), known(), self._places, rules)

    def restart(self) -> None:
        """Another process takes over."""
        self.host = Host(
            "n1", Doors(Sysfs(self.kernel), accelerated=lambda: True), known(), self._places, self.host.rules
        )
        assert self.host.recover() == []
        self.host.journal.unlock()

    def stranger(self, card: str, number: int = 3) -> str:
        """Somebody else has moved a virtual function to VFIO and has it open; its address."""
        assert isinstance(self.kernel, PciHost)
        address = self.kernel.pci.functions[card].vfs[number]
        self.kernel.write(f"sys/bus/pci/devices/{address}/driver_override", "vfio-pci")
        self.kernel.write("sys/bus/pci/drivers_probe", address)
        self.kernel.pci.open(address)
        return address

    def rules(self, rules: RulesOf) -> None:
        """The policies have changed."""
        self.host.rules = rules

    def prepare(self, name: str, *devices: str) -> list[Facts]:
        """A claim of that name with these devices of the card; the facts of each."""
        results = [{"request": "gpu", "driver": "libvf.io", "pool": self.pool, "device": d} for d in devices]
        claim = _claim(name, results)
        return [piece.facts for piece in self.host.prepare(claim, claim.allocated).slices]

    def release(self, name: str) -> None:
        """The claim is given back."""
        self.host.unprepare(_uid(name))

    def devices(self) -> dict[str, Json]:
        """What the card offers, by name."""
        return {device["name"]: device for spec in self._specs() for device in spec.get("devices", [])}

    def names(self) -> list[str]:
        """The names of what it offers, in their order."""
        return [device["name"] for spec in self._specs() for device in spec.get("devices", [])]

    def counters(self) -> dict[str, int]:
        """What is left of each counter to us."""
        sets = [found for spec in self._specs() for found in spec.get("sharedCounters", [])]
        return {name: to_bytes(value["value"]) for one in sets for name, value in one["counters"].items()}

    def fit(self, *names: str) -> bool:
        """The scheduler's arithmetic: whether these devices can all be allocated."""
        left, offered = self.counters(), self.devices()
        for name in names:
            for consumed in offered[name]["consumesCounters"]:
                for counter, value in consumed["counters"].items():
                    left[counter] -= to_bytes(value["value"])
        return min(left.values()) >= 0

    def taints(self, name: str) -> dict[str, str]:
        """A device's taints and their effects."""
        return {taint["key"]: taint["effect"] for taint in self.devices()[name].get("taints", [])}

    def seen(self) -> tuple[Seen, ...]:
        """The cards as the agent sees them."""
        return self.host.look(Node("n1", "uid"))[1].seen

    def _specs(self) -> list[Json]:
        return [s for s in self.host.look(Node("n1", "uid"))[0] if s["pool"]["name"] == self.pool]


def _uid(name: str) -> str:
    return f"0a1b2c3d-0000-4000-8000-{name.encode().hex():0>12}"


def _claim(name: str, results: list[dict[str, str]]) -> Claim:
    meta = {"name": name, "namespace": "ns", "uid": _uid(name)}
    return parse({"metadata": meta, "status": {"allocation": {"devices": {"results": results}}}})
