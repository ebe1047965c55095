"""What a VM holds beyond its QEMU: in a Pod, under libvirt, and bare; each by its share of what it maps (PSS)."""

import asyncio
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.figures import Figure
from bench.innode import machines
from bench.innode.bed import Bed, bed
from bench.innode.machines import KIND, MACHINES, PARENT
from lab.progress import step

_MIB = 1 << 20


def run(quick: bool) -> Iterable[Figure]:
    """Some machines at once on one node, as what is shared is shared by all of them."""
    count = 1 if quick else 3
    with bed() as place:
        pods = asyncio.run(_in_pods(place, count))
        with step(f"{count} such machines by bare QEMU and by libvirt"):
            peers = place.script("peers", json.dumps(pods[0]["argv"]), KIND, PARENT, "0", str(count))["footprint"]
        yield from figures(pods, peers)


def figures(pods: Sequence[Mapping[str, Any]], peers: Mapping[str, Any]) -> Iterator[Figure]:
    """From bytes of each. Pure."""
    count = len(pods)
    parts = {part: statistics.fmean(pod[part] for pod in pods) / _MIB for part in ("launcher", "beside", "shim")}
    beyond = sum(parts.values())
    told = ", ".join(f"{part} {size:.1f} MiB" for part, size in parts.items())
    note = f"{told}; with {count} machines on the node ('beside' is the Pod's pause container, the shim containerd's)"
    name, peer = "memory of a VM's Pod beyond its QEMU", "bare QEMU, which has nothing beside it"
    samples = tuple(sum(pod[part] for part in parts) / _MIB for pod in pods)
    yield Figure(name=name, value=beyond, unit="MiB", peer=peer, goal=20.0, note=note, samples=samples)
    daemon = peers["daemon"] / _MIB
    note = f"libvirt's daemon has {daemon:.1f} MiB for all {count} of them"
    name, peer = "the same, against libvirt's", "libvirt's daemon, its share for each machine"
    yield Figure(name=name, value=beyond / (daemon / count), unit="x", peer=peer, note=note)
    ours, bare, theirs = (
        statistics.fmean(sizes) / _MIB for sizes in ([pod["qemu"] for pod in pods], peers["bare"], peers["libvirt"])
    )
    note = f"{ours:.1f} MiB against {bare:.1f} MiB; {theirs:.1f} MiB under libvirt"
    yield Figure(name="QEMU's own memory in a Pod", value=ours / bare, unit="x", peer="bare QEMU", note=note)


async def _in_pods(place: Bed, count: int) -> list[Any]:
    server = await machines.connect(place.lab)
    try:
        found = []
        for number in range(count):
            with step(f"machine {number + 1} of {count}"):
                made = machines.machine(f"bench-{number}")
                await machines.started(server, MACHINES, made, machines.machine_runs)
        for number in range(count):
            uid = (await server.get(f"{MACHINES}/bench-{number}"))["metadata"]["uid"]
            found.append(place.script("launched", uid))
        for number in range(count):
            await machines.gone(server, MACHINES, f"bench-{number}")
        return found
    finally:
        await server.close()
