"""Beside whom a VM's Pod would rather run: VMs that ask for slices of the same size. Pure.

A claim asks for a card that is already cut in its size, but the agent can only say `open` once it has carved. Machines
that come all at once are placed before that, and the scheduler would spread them over the nodes, each opening a card of
its own there. What it has placed it knows at once, though: so equal machines attract each other. It is a preference
within the namespace and no more.
"""

import hashlib
import json

from libvf_api import names

from libvf_operator.objects import Object

_ASKED = ("type", "vendor", "mode", "device", "count")


def labels(gpus: list[Object]) -> Object:
    """Equal for machines that ask for the same least slices; none without slices of its own."""
    asked = [_least(gpu) for gpu in gpus if not gpu.get("partitionRef")]
    if not asked:
        return {}
    return {names.SLICES_LABEL: hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]}


def affinity(gpus: list[Object]) -> Object:
    """The affinity to Pods with the same label."""
    if not (alike := labels(gpus)):
        return {}
    term = {"labelSelector": {"matchLabels": alike}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _least(gpu: Object) -> Object:
    """What decides which size it gets as a rule: how much more it would take does not."""
    vram = {"vram": gpu["vram"]["min"]} if "min" in gpu.get("vram", {}) else {}
    return {**{key: gpu[key] for key in _ASKED if key in gpu}, **vram}
