"""How long a prepare takes: kubelet's RPC to the agent, against the bare sysfs write and against `mdevctl start`."""

import asyncio
import statistics
from collections.abc import Iterable, Iterator, Sequence

from bench import native
from bench.figures import Figure
from bench.innode import claims, machines
from bench.innode.bed import bed
from bench.innode.machines import KIND, PARENT
from bench.spread import percentile
from lab.progress import step
from lab.testbed import Testbed

_GOAL = 30.0


def run(quick: bool) -> Iterable[Figure]:
    """All of them on one node, and then without its emulation."""
    rounds = 3 if quick else 12
    with bed() as place:
        uid = asyncio.run(_allocated(place.lab))
        try:
            with step(f"{rounds} prepares and {rounds} writes"):
                found = place.in_agent("prepares", "default", claims.NAME, uid, KIND, PARENT, str(rounds))
            with step(f"{rounds} starts by mdevctl"):
                peer = place.script("mdevctl", KIND, PARENT, str(rounds))
        finally:
            place.lab.kubectl("delete", "resourceclaim", claims.NAME, "--ignore-not-found")
        yield from figures(found["rpc"], found["write"], peer)
    with step(f"{rounds} prepares without a node"):
        yield not_emulated(native.prepares(rounds))


def figures(rpc: Sequence[float], write: Sequence[float], mdevctl: Sequence[float]) -> Iterator[Figure]:
    """From seconds of each. Pure."""
    middle, bare, other = (1000 * statistics.median(each) for each in (rpc, write, mdevctl))
    note = (
        f"{middle:.1f} ms at the median and {1000 * percentile(rpc, 95):.1f} ms at the 95th percentile, with a read "
        f"and a write of the claim at the API server; the bare write {bare:.1f} ms, mdevctl start {other:.1f} ms"
    )
    samples = tuple(1000 * each - bare for each in rpc)
    yield Figure(
        name="prepare beyond the bare write", value=middle - bare, unit="ms", peer="the sysfs write alone", goal=_GOAL,
        note=note, samples=samples,
    )  # fmt: skip
    yield Figure(name="prepare", value=middle / other, unit="x", peer="`mdevctl start`")


def not_emulated(seconds: Sequence[float]) -> Figure:
    """The same where the node's CPU is this machine's own. Pure."""
    name, peer = "prepare beyond the bare write, where nothing is emulated", "a fake card's write, which takes no time"
    samples = tuple(1000 * each for each in seconds)
    note = "without its RPC; the journal, files and the API server are real"
    return Figure(
        name=name, value=statistics.median(samples), unit="ms", peer=peer, goal=_GOAL, note=note, samples=samples
    )


async def _allocated(lab: Testbed) -> str:
    server = await machines.connect(lab)
    try:
        return await claims.allocated(server, KIND, "n1")
    finally:
        await server.close()
