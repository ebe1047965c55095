"""A card of NVIDIA's on a host with its driver, and an agent that is asked as kubelet asks."""

from __future__ import annotations

from pathlib import Path

from libvf_agent.rules import RulesOf, careful
from libvf_agent.slices import Json
from libvf_api.quantity import to_bytes

from tests.fakekernel.nvidia import Nvidia, NvidiaHost
from tests.fakekernel.nvidia_models import Model
from tests.fakekernel.situations import PF
from tests.unit.agent.claiming import Claiming


def amounts(consumed: Json) -> dict[str, str]:
    """Counter and quantity of one entry of consumesCounters."""
    return {counter: value["value"] for counter, value in consumed["counters"].items()}


class Bed(Claiming):
    """A card of the model on a host with NVIDIA's driver."""

    def __init__(
        self,
        folder: Path,
        model: Model,
        of: RulesOf = careful,
        made: bool = True,
        mixes: bool = False,
        tool: bool = True,
    ) -> None:
        self.machine = NvidiaHost(tool)
        self.card: Nvidia = self.machine.put(PF, model, made, mixes)
        super().__init__(self.machine, folder, of)

    def size(self, name: str) -> int:
        """The GiB of a device's type."""
        kind = self.card.model.kind(int(name.rpartition("-")[0]))
        assert kind is not None
        return kind.size

    def of(self, name: str) -> list[str]:
        """The devices of the type whose name ends so."""
        return [device for device in self.names() if device.startswith(f"{self.card.model.number(name)}-")]

    def costs(self) -> dict[str, dict[str, int]]:
        """What each device draws on."""
        return {
            name: {c: to_bytes(v) for one in device["consumesCounters"] for c, v in amounts(one).items()}
            for name, device in self.devices().items()
        }

    def free(self) -> list[str]:
        """The devices that could be allocated now."""
        left = self.counters()
        return [name for name, cost in self.costs().items() if all(left[c] >= amount for c, amount in cost.items())]

    def vgpus(self) -> dict[str, str]:
        """The vGPUs that exist, by their function."""
        return {vf: vgpu.kind.name.rpartition("-")[2] for vf, vgpu in self.card.vgpus.items()}
