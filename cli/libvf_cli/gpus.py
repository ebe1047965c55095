"""`kubectl vf gpus`: the cards of the hosts, what they can be cut into and what is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from libvf_api.host import Gpus, GpuSeen
from libvf_api.quantity import of_bytes

from libvf_cli.agents import Told, ask, found
from libvf_cli.kubectl import Kubectl
from libvf_cli.table import aligned

_TYPES = ("NODE", "GPU", "VENDOR", "PCI-ID", "NUMA", "TYPE", "VRAM", "FREE", "NAME")
_CARVINGS = ("NODE", "GPU", "TYPE", "PARENT", "CLAIM", "UUID")


def listed(kubectl: Kubectl, node: str | None) -> tuple[Told[Gpus], ...]:
    """Every host's cards."""
    return ask(kubectl, found(kubectl, node), Gpus, lambda agent: ("gpus",))


def failed(told: Sequence[Told[Gpus]]) -> bool:
    """Whether a host did not answer."""
    return any(one.answer is None for one in told)


def text(told: Sequence[Told[Gpus]]) -> str:
    """A table of types, one of carvings, why nothing new comes to some, and the hosts that were not asked."""
    cards = [(one.node, gpu) for one in told if one.answer for gpu in one.answer.gpus]
    types = aligned(_TYPES, [row for node, gpu in cards for row in _types(node, gpu)])
    carvings = aligned(_CARVINGS, [row for node, gpu in cards for row in _carvings(node, gpu)])
    taints = "\n".join(line for node, gpu in cards for line in _taints(node, gpu))
    silent = "\n".join(f"{one.node} was not asked: {one.error}" for one in told if one.answer is None)
    return "\n\n".join(part for part in (types or "no GPU", carvings, taints, silent) if part)


def _types(node: str, gpu: GpuSeen) -> Iterator[tuple[str, ...]]:
    numa = "-" if gpu.numa_node is None else str(gpu.numa_node)
    head = (node, gpu.name, gpu.vendor, gpu.pci_id or "-", numa)
    if not gpu.types:
        yield (*head, "-", "-", "-", gpu.nothing + ("" if gpu.policy else ": kubectl vf doctor says why"))
    for kind in gpu.types:
        vram = of_bytes(kind.vram) if kind.vram else "-"
        yield (*head, kind.id, vram, f"{kind.available}/{kind.total}", kind.name)


def _carvings(node: str, gpu: GpuSeen) -> Iterator[tuple[str, ...]]:
    for one in gpu.carvings:
        yield (node, gpu.name, one.type, one.parent, one.claim if one.ours else "(not ours)", one.uuid)


def _taints(node: str, gpu: GpuSeen) -> Iterator[str]:
    for one in gpu.taints:
        yield f"{node} {gpu.name}: nothing new comes to {one.type or 'it'} ({one.key}): {one.message}"
