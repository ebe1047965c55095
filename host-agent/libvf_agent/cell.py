"""Cells: CPUs and memory of one NUMA node for one claim, beside its GPU slices.

A node's CPUs and memory are one device that many claims share, each by the amounts that it asks for; so kube-scheduler
keeps count of how many are left, and the agent says which. It is a second ledger beside the scheduler's own of CPU and
memory: a Pod asks for both, and what is pinned is not thereby exclusive (docs/numa.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from libvf_api.names import CELL, FLOATING, NUMA_ATTRIBUTE
from libvf_api.quantity import of_bytes
from libvf_api.taints import TaintKey

from libvf_agent import cpus
from libvf_agent.errors import ClaimError
from libvf_agent.inventory import NumaNode
from libvf_agent.journal import Entry, Slice
from libvf_agent.metadata import attribute
from libvf_agent.slices import Json, Node, pool_name, pooled
from libvf_agent.steps import Facts

KIND = CELL
HELD, SHARED, NUMA = "cpus", "sharedCpus", "numaNode"
"""What a cell's facts are called: its CPUs in the order for virtual ones, those it shares with the host, its node."""

PAGES = {"hugepages2Mi": 2048, "hugepages1Gi": 1 << 20}
"""Capacities by size of page in KiB; names of capacities are C identifiers."""


def device(number: int) -> str:
    """What the device of a NUMA node is called."""
    return f"node{number}"


def is_cell(piece: Slice) -> bool:
    """Whether the allocated device is a part of a NUMA node."""
    return piece.plan is None and piece.pool.endswith(f"-{KIND}") and piece.device.startswith("node")


def is_floating(piece: Slice) -> bool:
    """Whether it is what a claim gets that could have no cell."""
    return piece.plan is None and piece.device == FLOATING


def pool(node: Node, nodes: Iterable[NumaNode], entries: Iterable[Entry], refusal: str) -> list[Json]:
    """Each NUMA node; tainted where cells can not be kept, or where one that is in use is not there any more."""
    name = pool_name(node.name, KIND)
    there = {device(one.number): _published(one, refusal) for one in nodes}
    held = {piece.device: piece for entry in entries for piece in entry.slices if piece.pool == name}
    gone = {one: _lost(one, held[one].facts) for one in held.keys() - there.keys()}
    found = {**there, **gone}
    return pooled(node.name, name, [{"devices": [found[one] for one in sorted(found, key=_number)]}]) if found else []


def _published(node: NumaNode, refusal: str) -> Json:
    amounts = {"cpus": str(len(node.offered)), "memory": of_bytes(node.memory)}
    amounts |= {name: of_bytes(node.bytes_of(size)) for name, size in PAGES.items()}
    taint = {"key": TaintKey.CPU_MANAGER.qualified, "effect": "NoSchedule"}
    return {
        "name": device(node.number),
        "attributes": {"kind": attribute(KIND), NUMA_ATTRIBUTE: attribute(node.number)},
        # a claim that does not ask for one of these gets none of it; without a default it would get all
        "capacity": {name: {"value": value, "requestPolicy": {"default": "0"}} for name, value in amounts.items()},
        "allowMultipleAllocations": True,
        **({"taints": [taint]} if refusal else {}),
    }


def _lost(name: str, facts: Facts) -> Json:
    """Never withdrawn while somebody has it; NoSchedule alone, as its guest goes on wherever the kernel puts it."""
    told = {"kind": attribute("lost"), **({NUMA_ATTRIBUTE: attribute(facts[NUMA])} if NUMA in facts else {})}
    taint = {"key": TaintKey.LOST.qualified, "effect": "NoSchedule"}
    return {"name": name, "attributes": told, "allowMultipleAllocations": True, "taints": [taint]}


def _number(name: str) -> tuple[int, str]:
    digits = name.removeprefix("node")
    return (int(digits) if digits.isdecimal() else 0, name)


def allotted(entry: Entry, others: Iterable[Entry], nodes: Iterable[NumaNode], refusal: str) -> Entry:
    """The entry with CPUs for each cell in it, which no other entry has; raises ClaimError where there are not enough.

    `refusal` is why no new one can be kept here.
    """
    if not any(map(is_cell, entry.slices)):
        return entry
    if refusal:
        raise ClaimError(refusal)
    by_name = {device(node.number): node for node in nodes}
    taken = _taken(other for other in others if other.uid != entry.uid)
    slices: list[Slice] = []
    for piece in entry.slices:
        if is_cell(piece):
            facts = _facts(piece, by_name, frozenset(taken))
            taken |= set(cpus.parsed(str(facts[HELD])))
            piece = msgspec.structs.replace(piece, facts=facts)
        slices.append(piece)
    return msgspec.structs.replace(entry, slices=tuple(slices))


def _taken(entries: Iterable[Entry]) -> set[int]:
    pieces = (piece for entry in entries for piece in entry.slices if is_cell(piece))
    return {number for piece in pieces for number in cpus.parsed(str(piece.facts.get(HELD, "")))}


def _facts(piece: Slice, nodes: Mapping[str, NumaNode], taken: frozenset[int]) -> Facts:
    node = nodes.get(piece.device)
    if node is None:
        raise ClaimError(f"this host has no NUMA {piece.device} any more: delete the claim's Pod")
    wanted = piece.amounts.get("cpus", 0)
    picked = cpus.chosen(node.offered, taken, wanted)
    if len(picked) < wanted:
        left = f"{len(picked)} of {len(node.offered)} CPUs of NUMA node {node.number} are free and {wanted} are wanted"
        raise ClaimError(f"{left}: claims that ended are still being given back, or the agent's reserve has grown")
    told = {name: amount for name, amount in piece.amounts.items() if name != "cpus" and amount}
    return {
        "kind": KIND,
        NUMA: node.number,
        HELD: cpus.in_order(picked),
        SHARED: cpus.ranges(node.reserved),
        "threads": cpus.threads(node.cpus, picked),
        **told,
    }


def binding(piece: Slice) -> tuple[str, str] | None:
    """The CPUs and the NUMA node that a container with this device is held to; None for any other device."""
    if not is_cell(piece):
        return None
    both = {*cpus.parsed(str(piece.facts[HELD])), *cpus.parsed(str(piece.facts[SHARED]))}
    return cpus.ranges(both), str(piece.facts[NUMA])
