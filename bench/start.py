"""How long a start takes: of a VM against a plain Pod, and of its QEMU against `virsh start` and bare QEMU."""

import asyncio
import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from libvf_api.apiserver import ApiServer

from bench.figures import Figure
from bench.innode import machines
from bench.innode.bed import Bed, bed
from bench.innode.machines import MACHINES, PODS
from lab.progress import step

_CLEAN_SECONDS = 6  # a node cleans up behind a Pod whose object is gone


@dataclass(frozen=True, slots=True)
class Starts:
    """Seconds of each start: to Running, to Ready, and from a container's start to a guest that runs."""

    machine: tuple[float, ...]
    plain: tuple[float, ...]
    launched: tuple[float, ...]
    bare: tuple[float, ...]
    virsh: tuple[float, ...]


def run(quick: bool) -> Iterable[Figure]:
    """Turn by turn on one node, so that what slows it down slows all of them."""
    rounds = 1 if quick else 3
    with bed() as place:
        machine, plain, launched = asyncio.run(_in_pods(place, rounds))
        argv = json.dumps(launched[-1]["argv"])
        with step("the same machine by bare QEMU and by libvirt"):
            peers = place.script("peers", argv, machines.KIND, machines.PARENT, str(rounds), "0")["starts"]
        seconds = tuple(one["seconds"] for one in launched)
        yield from figures(Starts(machine, plain, seconds, tuple(peers["bare"]), tuple(peers["virsh"])))


def figures(found: Starts) -> Iterator[Figure]:
    """Medians, and the ratios of single turns as samples. Pure."""
    yield _ratio("apply to Running", found.machine, found.plain, "a plain Pod of the same image on the same node", 1.1)
    yield _ratio("container start to QMP ready", found.launched, found.virsh, "`virsh start` of the same machine", 0.7)
    yield _ratio("container start to QMP ready, beside QEMU alone", found.launched, found.bare, "bare QEMU on the node")


def _ratio(name: str, ours: Sequence[float], peers: Sequence[float], peer: str, goal: float | None = None) -> Figure:
    middle, other = statistics.median(ours), statistics.median(peers)
    note = f"{middle:.2f} s against {other:.2f} s at the median of {len(ours)}"
    samples = tuple(mine / theirs for mine, theirs in zip(ours, peers, strict=False))
    return Figure(name=name, value=middle / other, unit="x", peer=peer, goal=goal, note=note, samples=samples)


async def _in_pods(place: Bed, rounds: int) -> tuple[tuple[float, ...], tuple[float, ...], list[Any]]:
    server = await machines.connect(place.lab)
    try:
        if rounds > 1:
            await _machine(server, place)  # the first one on a node reads everything from its disk
        found, plain, launched = [], [], []
        for number in range(rounds):
            with step(f"start {number + 1} of {rounds}"):
                seconds, told, pod = await _machine(server, place)
                found.append(seconds)
                launched.append(told)
                plain.append(await _plain(server, pod))
        return tuple(found), tuple(plain), launched
    finally:
        await server.close()


async def _machine(server: ApiServer, place: Bed) -> tuple[float, Any, machines.Json]:
    """Seconds to Running, what the node says of it, and its Pod."""
    seconds = await machines.started(server, MACHINES, machines.machine("bench"), machines.machine_runs)
    uid = (await server.get(f"{MACHINES}/bench"))["metadata"]["uid"]
    pod = await server.get(f"{PODS}/bench")
    told = place.script("launched", uid)
    await _gone(server, MACHINES, "bench")
    return seconds, told, pod


async def _plain(server: ApiServer, launcher: machines.Json) -> float:
    seconds = await machines.started(server, PODS, machines.plain_pod("plain", launcher), machines.pod_is_ready)
    await _gone(server, PODS, "plain")
    return seconds


async def _gone(server: ApiServer, path: str, name: str) -> None:
    """All of it, so that none of it is beside the next start."""
    await machines.gone(server, path, name)
    await asyncio.sleep(_CLEAN_SECONDS)
