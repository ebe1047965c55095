"""The cards that traces are played on, as a driver's files describe them and the agent's own backend reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from libvf_agent.backends.mediated import Mediated
from libvf_agent.inventory import Gpu
from libvf_agent.rules import careful
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.mdev import Card, MediatedHost, Type

# framebuffer in GiB -> the most on one card, as NVIDIA's tables have them; a card takes one size at a time
ONE_SIZE: Mapping[str, Mapping[int, int]] = {
    "A2": {1: 16, 2: 8, 4: 4, 8: 2, 16: 1},
    "P40": {1: 24, 2: 12, 3: 8, 4: 6, 6: 4, 8: 3, 12: 2, 24: 1},
}
# sizes in GiB, of one pool of 16: a card that mixes them as long as the memory lasts
POOLED = (1, 2, 4, 8, 16)
LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class Fleet:
    """The cards of each host, by their kinds."""

    name: str
    hosts: tuple[tuple[str, ...], ...]

    @property
    def cards(self) -> tuple[str, ...]:
        """All of them, host by host."""
        return tuple(kind for host in self.hosts for kind in host)

    @property
    def memory(self) -> int:
        """Video memory of all cards, in GiB."""
        return sum(memory(kind) for kind in self.cards)


FLEETS = (
    Fleet("one size at a time", (("A2",) * 8,) * 3),
    Fleet("linear", ((LINEAR,) * 8,) * 3),
    Fleet("mixed", (("A2", "A2", "A2", "P40", "P40", LINEAR, LINEAR, LINEAR),) * 3),
    Fleet("many hosts", (("A2", "A2"),) * 12),
)

SMALL = Fleet("few cards", (("A2", "P40", LINEAR),) * 2)


def memory(kind: str) -> int:
    """Of one card, in GiB."""
    return max(sizes(kind))


def sizes(kind: str) -> tuple[int, ...]:
    """What a card can be cut into, in GiB."""
    return tuple(ONE_SIZE.get(kind) or POOLED)


def fits(kind: str, held: tuple[int, ...], size: int) -> bool:
    """The driver's rule, in a line of its own: whether a card with these takes one more of a size."""
    if kind == LINEAR:
        return size in POOLED and sum(held) + size <= memory(kind)
    return size in ONE_SIZE[kind] and set(held) <= {size} and len(held) < ONE_SIZE[kind][size]


@cache
def gpu(kind: str) -> Gpu:
    """An empty card as the agent finds it."""
    [found] = Mediated().discover(Sysfs(MediatedHost(card(kind, 1))), careful)
    return found


def card(kind: str, number: int) -> Card:
    """The card's files on a fake kernel, in a slot of its own."""
    if kind == LINEAR:
        types = [
            Type(f"mbochs-{n}g", f"{n}g", f"virtual display, {n << 10} MB video memory", {"mb": n << 10})
            for n in POOLED
        ]
        name = f"mbochs-{number}"
        return Card(name, [name], {each.id: each for each in types}, {"mb": memory(kind) << 10})
    types = [
        Type(f"nvidia-{n}", f"NVIDIA {kind}-{n}Q", _facts(n, most), {}, most, n) for n, most in ONE_SIZE[kind].items()
    ]
    address = f"0000:{number:02x}:00.0"
    return Card(address, [address], {each.id: each for each in types}, pci_id="10de:1b38")


def on_host(kinds: tuple[str, ...]) -> MediatedHost:
    """A host's kernel, its cards in the order of their slots; the host has one NUMA node."""
    return MediatedHost(*(card(kind, number + 1) for number, kind in enumerate(kinds)))


def _facts(size: int, most: int) -> str:
    return f"num_heads=4, frl_config=60, framebuffer={size << 10}M, max_resolution=7680x4320, max_instance={most}"
