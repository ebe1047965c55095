"""The kinds of cards that lives are played on, one entry each; and the hosts they are put into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakekernel import cards as fake
from tests.fakekernel.host import NODES
from tests.fakekernel.mdev import Card as FakeCard
from tests.fakekernel.mdev import Mdev, Type
from tests.fakekernel.nvidia import NvidiaHost
from tests.fakekernel.nvidia_models import Model, l4, l40s
from tests.fakekernel.pci import Function
from tests.fakekernel.tree import Folder
from tests.fakekernel.xe import XE_VFIO, XePci, arc
from tests.integration.judge import tables
from tests.integration.judge.pool import Card
from tests.integration.judge.rules import OneSize, Pools, Rule
from tests.integration.life import by_hand
from tests.integration.life.by_hand import ByHand


class Machine(NvidiaHost):
    """A host with every part of the fake kernel."""

    bus = XePci

    def __init__(self, numa_nodes: int) -> None:
        super().__init__()
        for number in range(numa_nodes):
            self.tree.put(f"{NODES}/node{number}", Folder())
        self.mdev = Mdev(self)
        self.pci.load(XE_VFIO)

    @property
    def xe(self) -> XePci:
        """The bus with Intel's driver."""
        assert isinstance(self.pci, XePci)
        return self.pci


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a card is put: its PCI bus, and the NUMA node that the firmware tells, None where it tells none."""

    bus: int
    numa_node: int | None

    @property
    def address(self) -> str:
        """Of the card's first function."""
        return f"0000:{self.bus:02x}:00.0"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of card is judged and handled; `plug` puts one into a host and returns its name.

    `device` is its PCI id; a card without one is virtual and knows no NUMA node. `policy` is what a GpuPolicy says of
    it, None without one. `boot` is what the host itself does with it at each boot.
    """

    rule: Rule
    by_hand: ByHand
    vendor: str
    device: str | None
    plug: Callable[[Machine, Slot], str]
    modes: Mapping[str, str] = field(default_factory=dict)
    policy: dict[str, Any] | None = None
    boot: Callable[[Machine, str], None] = lambda machine, name: None


@dataclass(frozen=True, slots=True)
class Plan:
    """The cards of a host, the first on the first of its NUMA nodes, the second on the next."""

    kinds: tuple[str, ...]
    numa_nodes: int = 1


class Hardware:
    """The fake kernel of a planned host, and its cards as the judge knows them."""

    def __init__(self, plan: Plan) -> None:
        self.kernel = Machine(plan.numa_nodes)
        self.cards: list[Card] = []
        self.by_hand: dict[str, ByHand] = {}
        self._kinds: dict[str, Kind] = {}
        for number, name in enumerate(plan.kinds):
            kind = KINDS[name]
            told = number % plan.numa_nodes if plan.numa_nodes > 1 else None
            card = kind.plug(self.kernel, Slot(0x10 * (number + 1), told))
            kind.boot(self.kernel, card)
            # the only NUMA node of a host needs nobody to tell it
            known = 0 if plan.numa_nodes == 1 else told if kind.device else None
            self.cards.append(Card(card, kind.rule, kind.vendor, kind.device, known, kind.modes))
            self.by_hand[card] = kind.by_hand
            self._kinds[card] = kind

    @property
    def policies(self) -> dict[str, dict[str, Any]]:
        """What policies say of the cards, by PCI id."""
        return {kind.device: kind.policy for kind in self._kinds.values() if kind.policy and kind.device}

    def reboot(self) -> None:
        """The power goes, and comes back."""
        self.kernel.reboot()
        for card, kind in self._kinds.items():
            kind.boot(self.kernel, card)


def _nvidia(rows: tables.Rows, rule: OneSize, device: str) -> Kind:
    """A card whose driver prints the vendor's table, behind virtual functions where the rule has them."""
    types = {}
    for number, name in rows:
        size = rule.table[f"nvidia-{number}"]
        text = f"num_heads=4, frl_config=60, framebuffer={size.memory}M, max_instance={size.most}"
        types[f"nvidia-{number}"] = Type(f"nvidia-{number}", f"NVIDIA {name}", text, {}, size.most, size.memory)

    def plug(machine: Machine, slot: Slot) -> str:
        virtual = [f"0000:{slot.bus:02x}:{n // 8:02x}.{n % 8}" for n in range(4, 4 + rule.functions)]
        parents = virtual or [slot.address]
        machine.mdev.add(FakeCard(slot.address, parents, types, numa_node=slot.numa_node, pci_id=device))
        return slot.address

    return Kind(rule, by_hand.MDEV, "nvidia", device, plug)


def _gvtg(aperture: int) -> Kind:
    """The GPU of a processor whose firmware gives an aperture of so many MB."""
    rule = tables.gvtg(aperture)

    def plug(machine: Machine, slot: Slot) -> str:
        card = fake.gvtg()
        types = {kind: card.types[kind] for kind in rule.table}
        machine.mdev.add(replace(card, types=types, pools=dict(rule.card), numa_node=slot.numa_node))
        return card.name

    return Kind(rule, by_hand.MDEV, "intel", "8086:591b", plug)


def _sample(rule: Pools, make: Callable[[], FakeCard]) -> Kind:
    """A virtual card of the kernel's own samples."""

    def plug(machine: Machine, slot: Slot) -> str:
        card = make()
        machine.mdev.add(card)
        return card.name

    return Kind(rule, by_hand.MDEV, "kernel-sample", None, plug)


def _amd(machine: Machine, slot: Slot) -> str:
    """An accelerator with up to eight virtual functions."""
    vfs = {"total_vfs": 8, "offset": 16, "vf_id": "1002:74b5", "native": "amdgpu", "vf_native": "amdgpu"}
    node = -1 if slot.numa_node is None else slot.numa_node
    machine.pci.add(Function(slot.address, "1002:74a1", "120000", numa_node=node, **vfs))  # type: ignore[arg-type]
    return slot.address


def _desktop(machine: Machine, slot: Slot) -> str:
    """A graphics card with its audio function in one group."""
    node = -1 if slot.numa_node is None else slot.numa_node
    card = Function(slot.address, "10de:2684", "030000", native="nouveau", boot_vga=False, numa_node=node)
    audio = f"{slot.address[:-1]}1"
    machine.pci.add(card)
    machine.pci.add(Function(audio, "10de:22ba", "040300", "snd_hda_intel", with_=slot.address, numa_node=node))
    return slot.address


def _made_at_boot(machine: Machine, card: str) -> None:
    """The administrator's own script makes the virtual functions, for no driver of the host."""
    machine.write(f"sys/bus/pci/devices/{card}/sriov_drivers_autoprobe", "0")
    machine.write(f"sys/bus/pci/devices/{card}/sriov_numvfs", "3")


def _vgpus(rule: Rule, model: Model, hand: ByHand, mixes: bool) -> Kind:
    """A card whose vGPUs are virtual functions with NVIDIA's own VFIO."""

    def plug(machine: Machine, slot: Slot) -> str:
        machine.put(slot.address, model, mixes=mixes)
        return slot.address

    return Kind(rule, hand, "nvidia", model.pci_id, plug, dict.fromkeys(rule.types, "VirtualFunction"))


def _arc(machine: Machine, slot: Slot) -> str:
    """A discrete card of Intel's with 16 GiB."""
    machine.xe.plug(arc(slot.address))
    return slot.address


_XE = tables.xe(4, 16_384 - 128, 2048, 4096)  # the driver keeps 128 MiB of a tile


def _l40s() -> Model:
    """Without its compute series: two series are enough to mix."""
    model = l40s()
    return replace(model, kinds=tuple(kind for kind in model.kinds if not kind.name.endswith("C")))


_AMD = {"amd-vf": "VirtualFunction", "amd-whole": "Passthrough"}
_TAKEN = {"virtualFunctions": {"count": 4}, "takeFromHost": True, "vram": "192Gi"}
_CUT = {"modes": ["VirtualFunction"], "virtualFunctions": {"count": 4, "sizes": ["2Gi", "4Gi"]}}

KINDS: Mapping[str, Kind] = {
    "A2": _nvidia(tables.A2, tables.NVIDIA_A2, "10de:25b6"),
    "A2, few functions": _nvidia(tables.A2, replace(tables.NVIDIA_A2, functions=4), "10de:25b6"),
    "P40": _nvidia(tables.P40, tables.TESLA_P40, "10de:1b38"),
    "RTX A6000": _nvidia(tables.RTX_A6000, tables.NVIDIA_RTX_A6000, "10de:2230"),
    "GVT-g": _gvtg(1024),
    "GVT-g, small aperture": _gvtg(512),
    "mdpy": _sample(tables.MDPY, fake.mdpy),
    "mbochs": _sample(tables.MBOCHS, fake.mbochs),
    "mtty": _sample(tables.MTTY, fake.mtty),
    "SR-IOV": Kind(
        tables.functions_or_whole(4, 196_608), by_hand.WHOLE_CARDS, "amd", "1002:74a1", _amd, _AMD, _TAKEN
    ),
    "SR-IOV, made by hand": Kind(
        tables.functions(3), by_hand.FUNCTIONS, "amd", "1002:74a1", _amd, _AMD, boot=_made_at_boot
    ),
    "L40S": _vgpus(tables.NVIDIA_L40S, _l40s(), by_hand.VGPUS, mixes=False),
    "L4, mixed": _vgpus(tables.NVIDIA_L4_MIXED, l4(), by_hand.PLACED_VGPUS, mixes=True),
    "xe": Kind(
        _XE, by_hand.QUOTAS, "intel", "8086:e212", _arc, dict.fromkeys(_XE.types, "VirtualFunction"), _CUT,
    ),
    "graphics card": Kind(
        tables.WHOLE, by_hand.WHOLE_CARDS, "nvidia", "10de:2684", _desktop, {"nvidia-whole": "Passthrough"},
        {"takeFromHost": True, "vram": "24Gi"},
    ),
}  # fmt: skip
