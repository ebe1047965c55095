"""Nodes with eight cards each, and the ResourceSlices that their agents publish: by the agent's own code. Pure."""

from dataclasses import replace
from functools import cache
from typing import Any

from libvf_agent.backends.known import known
from libvf_agent.cards import Part, cards_of
from libvf_agent.inventory import Carving, Gpu
from libvf_agent.offers import offers_of, type_of_device
from libvf_agent.rules import CardId, Rules
from libvf_agent.slices import Node, changes, pool_name, pool_of_gpu, pooled
from libvf_agent.sysfs import Sysfs

from tests.integration.life.kinds import Hardware, Plan

Json = dict[str, Any]

CARDS_A_NODE = 8
_PLAIN_DEVICES = 128  # what a slice without counters may hold
# NVIDIA's Q series: a licence is for one series, so a policy of a cluster as large as these names one
_SERIES = tuple(f"nvidia-{number}" for number in range(744, 749))


@cache
def cards() -> dict[str, Gpu]:
    """The cards of a node by name, each cut by nobody: NVIDIA A2, as the agent finds them on a fake kernel, under a
    policy that names one series.
    """

    def rules(card: CardId) -> Rules:
        return Rules(policy="series", types=_SERIES, excluded=not card.is_gpu)

    sysfs = Sysfs(Hardware(Plan(("A2",) * CARDS_A_NODE, numa_nodes=2)).kernel)
    found = cards_of(Part(backend, gpu) for backend in known() for gpu in backend.discover(sysfs, rules))
    return {card.gpu.name: card.gpu for card in found}


class Card:
    """A card of a node, and what is carved on it."""

    def __init__(self, node: Node, gpu: Gpu) -> None:
        self._node, self._gpu = node, gpu
        self._ours: dict[str, str] = {}  # id of a carving -> device
        self._published: dict[str, Json] = {}

    @property
    def pool(self) -> str:
        """Its pool's name."""
        return pool_name(self._node.name, self._gpu.name)

    def carve(self, device: str) -> None:
        """A device of it was made."""
        kind = type_of_device(self._gpu, device)
        assert kind is not None, f"{device} is none of {self.pool}"
        carving = Carving(f"carved-{device}", self._gpu.parents[0], kind.id)
        self._gpu = replace(self._gpu, carvings=(*self._gpu.carvings, carving))
        self._ours[carving.id] = device

    def news(self) -> tuple[Json, ...]:
        """The slices that the agent would write now; none where nothing is new."""
        specs = pool_of_gpu(self._node, offers_of(self._gpu, self._ours))
        written = changes(self._node, specs, list(self._published.values())).put
        self._published |= {piece["metadata"]["name"]: piece for piece in written}
        return written


def plain(slices: tuple[Json, ...]) -> list[Json]:
    """The same devices as ordinary whole ones: no counters, and as many in a slice as it may hold."""
    node, pool = slices[0]["spec"]["nodeName"], slices[0]["spec"]["pool"]["name"]
    devices = [device for piece in slices for device in piece["spec"].get("devices") or ()]
    whole = [{key: value for key, value in device.items() if key != "consumesCounters"} for device in devices]
    parts = [{"devices": whole[at : at + _PLAIN_DEVICES]} for at in range(0, len(whole), _PLAIN_DEVICES)]
    return list(changes(Node(node, _owner(slices[0])), pooled(node, pool, parts), []).put)


def _owner(piece: Json) -> str:
    return str(piece["metadata"]["ownerReferences"][0]["uid"])
