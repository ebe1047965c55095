"""The real scheduler with our slices, against the same devices without counters.

A Node is a plain object here. The scheduler looks at what a node has and at its taints. kwok would write both, leases
that nobody reads while the controller that watches them does not run, and the end of Pods, which are of no use when
they are placed. The slices are what the agents of such nodes publish, and they are published anew as agents do when
something is carved: here on the scheduler's own cores, where a cluster has the nodes' for that.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from libvf_agent.cluster import Cluster
from libvf_agent.slices import Node
from libvf_api.apiserver import ApiServer

from bench.figures import Figure
from bench.growth import exponent
from bench.operator.documents import node, node_status
from bench.process import cpu_seconds
from bench.scheduler import load
from bench.scheduler.cards import CARDS_A_NODE, Card, cards, plain
from lab.loopback import PORT, control_plane, plane
from lab.progress import step
from lab.shell import Daemon


@dataclass(frozen=True, slots=True)
class Size:
    """So many nodes, so many claims at them, and the seconds after which the count is taken."""

    nodes: int
    claims: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Kind:
    """Of one kind of device: placements a second, and what each took of the scheduler's CPU, in seconds.

    `renewed` is how many slices were written anew for each placement, `bytes` the size of a node's slices.
    """

    rate: float
    cpu: float
    renewed: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Slices and whole devices at so many nodes; `chosen` are whole devices asked for as slices are."""

    nodes: int
    slices: Kind
    whole: Kind
    chosen: Kind | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What is published, with counters or without, and whether claims are the operator's or want any device."""

    name: str
    counters: bool
    operators: bool


_SLICES = Case("slices", counters=True, operators=True)
_ANY = Case("whole devices", counters=False, operators=False)
_CHOSEN = Case("whole devices that are asked for as slices are", counters=False, operators=True)
_PEER = "the same devices without counters, each claimed as a whole one"
_ALIKE = "the same devices without counters, asked for by the same claims"
_WHOLE = (Size(50, 400, 40), Size(200, 200, 40), Size(1_000, 100, 60))
_QUICK = (Size(5, 40, 20), Size(15, 40, 20))


def run(quick: bool) -> Iterable[Figure]:
    """Rates at each size, and how they change with it."""
    sizes, found = _QUICK if quick else _WHOLE, []
    for size in sizes:
        found.append(measure(size, why=size is sizes[0]))
        yield from _of_size(found[-1])
    yield from _trend(found)


def measure(size: Size, why: bool) -> Measured:
    """Each case in a cluster of its own; `why` measures also what of the distance is the choosing alone."""
    slices, whole = _kind(size, _SLICES), _kind(size, _ANY)
    return Measured(size.nodes, slices, whole, _kind(size, _CHOSEN) if why else None)


def _kind(size: Size, case: Case) -> Kind:
    with tempfile.TemporaryDirectory(prefix="bench-scheduler-") as name:
        folder = Path(name)
        with control_plane(folder, schedules=False) as api, step(f"{size.nodes:,} nodes with {case.name}"):
            os.environ["KUBECONFIG"] = str(api.kubeconfig)
            return asyncio.run(_Run(size, case, folder).measured())


class _Run:
    """One cluster: nodes and what they publish, claims and Pods, and then a scheduler."""

    def __init__(self, size: Size, case: Case, folder: Path) -> None:
        self._size, self._case, self._folder = size, case, folder
        self._cards: dict[str, Card] = {}
        self._renewed = 0
        self._weight = 0

    async def measured(self) -> Kind:
        """All of it, from when nodes, claims and Pods are there."""
        server = await ApiServer.connect()
        cluster, news = Cluster(server), asyncio.Queue[Card]()
        try:
            for number in range(self._size.nodes):
                await self._node(server, f"node-{number:04}")
            await self._ask(server)
            agents = [
                asyncio.create_task(load.follow_claims(server, partial(self._allocated, news))),
                asyncio.create_task(self._republish(cluster, news)),
            ]
            scheduler, before = _scheduler(self._folder), list[float]()
            moments = await load.placed(
                server, self._size.claims, self._size.seconds, lambda: before.append(cpu_seconds(scheduler))
            )
            spent = cpu_seconds(scheduler) - before[0]
            for agent in agents:
                agent.cancel()
            await asyncio.gather(*agents, return_exceptions=True)
            count = len(moments) - 1
            return Kind(load.rate(moments), spent / count, self._renewed / count, self._weight)
        finally:
            await server.close()

    async def _node(self, server: ApiServer, name: str) -> None:
        made = await server.create(load.NODES, node(name), load.MANAGER)
        await server.merge(f"{load.NODES}/{name}/status", {"status": node_status()}, load.MANAGER)
        # the API server taints every node that is new
        await server.merge(f"{load.NODES}/{name}", {"spec": {"taints": None}}, load.MANAGER)
        fresh = [Card(Node(name, made["metadata"]["uid"]), gpu) for gpu in cards().values()]
        self._cards |= {card.pool: card for card in fresh}
        published = [card.news() for card in fresh]
        pieces = [piece for one in published for piece in (one if self._case.counters else plain(one))]
        self._weight = sum(len(msgspec.json.encode(piece)) for piece in pieces)
        await load.create(server, ((load.SLICES, piece) for piece in pieces))

    async def _ask(self, server: ApiServer) -> None:
        claim, pod = (load.sliced, load.machine) if self._case.operators else (load.whole, load.pod)
        numbers = range(self._size.claims)
        await load.create(server, ((load.CLAIMS, claim(number)) for number in numbers))
        await load.create(server, ((load.PODS, pod(number)) for number in numbers))

    def _allocated(self, news: "asyncio.Queue[Card]", pool: str, device: str) -> None:
        if self._case.counters:
            self._cards[pool].carve(device)
            news.put_nowait(self._cards[pool])

    async def _republish(self, cluster: Cluster, news: "asyncio.Queue[Card]") -> None:
        while True:
            for piece in (await news.get()).news():
                await cluster.put_slice(piece)
                self._renewed += 1


def _scheduler(folder: Path) -> int:
    """Its process. It begins when everything is there, so that nothing but placing is measured."""
    plane(folder, PORT, schedules=True).start()
    pid = Daemon(folder, "kube-scheduler").pid()
    assert pid is not None, f"it ended: see {folder / 'kube-scheduler.log'}"
    return pid


def _of_size(found: Measured) -> Iterator[Figure]:
    ours, peer = found.slices, found.whole
    told = f"{ours.rate:.1f} placements a second against {peer.rate:.1f}"
    note = f"{told}; {ours.renewed:.1f} slices are written anew for each"
    yield Figure(
        name="allocation rate", value=ours.rate / peer.rate, unit="x", peer=_PEER, goal=0.8, better="higher",
        note=note, at=found.nodes,
    )  # fmt: skip
    note = f"{1000 * ours.cpu:.0f} ms against {1000 * peer.cpu:.0f} ms"
    name = "the scheduler's CPU for a placement"
    yield Figure(name=name, value=ours.cpu / peer.cpu, unit="x", peer=_PEER, note=note, at=found.nodes)
    if found.chosen:
        told = f"{found.chosen.rate:.1f} placements a second, {1000 * found.chosen.cpu:.0f} ms of CPU each"
        note = f"{told}: to choose is what the scheduler is busy with, as it converts each device for each selector"
        rate, name = ours.rate / found.chosen.rate, "allocation rate, chosen alike"
        yield Figure(name=name, value=rate, unit="x", peer=_ALIKE, better="higher", note=note)


def _trend(found: list[Measured]) -> Iterator[Figure]:
    size = found[-1].slices.bytes / CARDS_A_NODE / 1000
    name, peer = "size of the slices of a card", "the same devices without counters"
    other = found[-1].whole.bytes / CARDS_A_NODE / 1000
    yield Figure(
        name=name, value=size / other, unit="x", peer=peer, note=f"{size:.0f} KB against {other:.0f} KB, as JSON"
    )
    ours = exponent({each.nodes: 1 / each.slices.rate for each in found})
    theirs = exponent({each.nodes: 1 / each.whole.rate for each in found})
    note = f"exponents over the nodes: {ours:.2f} with slices, {theirs:.2f} without"
    yield Figure(name="growth of a placement's time", value=ours - theirs, unit="exponent", peer=_PEER, note=note)
