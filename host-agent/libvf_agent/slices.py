"""ResourceSlices: what cards offer, in the shape and within the limits of resource.k8s.io/v1. Pure.

A pool is one card. Its counters are in slices of their own, before the devices (the API refuses both in one).
All slices of a pool carry one generation, which `renewal` raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from libvf_api.names import (
    DRIVER,
    FLOATING,
    MANAGED_BY,
    MANAGER,
    NUMA_ATTRIBUTE,
    PCIE_ROOT_ATTRIBUTE,
    REPORT,
    REPORT_ANNOTATION,
    REPORT_LABEL,
    VIRTUAL_GPU,
)
from libvf_api.quantity import of_bytes
from libvf_api.taints import TaintKey

from libvf_agent.inventory import Gpu, Offer, Offers
from libvf_agent.metadata import attribute
from libvf_agent.renewal import renewed

DEVICES_WITH_COUNTERS = 64
COUNTERS_A_SET = 32
SETS_A_SLICE = 8

GIVEN = ("kvm", "tap", "vsock", "usb", "cell")
"""What is given as it is, without a plan: a pool of that name. USB devices go to one claim each, the others to many."""

_PARTS = frozenset({"sharedCounters", "devices"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """The node the slices belong to; its uid is the owner of the slices."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What must be written so that the API server shows what this host offers."""

    put: tuple[Json, ...]
    delete: tuple[str, ...]


def pool_name(node: str, parent: str) -> str:
    """`<node>-<parent>`, lower case, a dash for every other character than a-z0-9."""
    return "".join(c if c in "abcdefghijklmnopqrstuvwxyz0123456789" else "-" for c in f"{node}-{parent}".lower())


def pool_of_gpu(node: Node, offers: Offers) -> list[Json]:
    """The slice specs of a card, without name and generation; none of a card that offers nothing."""
    if not offers.devices:
        return []
    sets = _counter_sets(offers)
    owner = {counter: index for index, part in enumerate(sets) for counter in part}
    specs: list[Json] = []
    if sets:
        specs.append({"sharedCounters": [{"name": f"gpu{i}", "counters": _values(s)} for i, s in enumerate(sets)]})
    devices = [_device(offers.gpu, offer, owner) for offer in offers.devices]
    for start in range(0, len(devices), DEVICES_WITH_COUNTERS):
        specs.append({"devices": devices[start : start + DEVICES_WITH_COUNTERS]})
    return pooled(node.name, pool_name(node.name, offers.gpu.name), specs)


def with_lost(specs: list[Json], node: str, lost: dict[str, tuple[str, ...]]) -> list[Json]:
    """The specs, with the devices that were carved and are gone (pool -> device names) tainted NoExecute.

    An allocated device is never withdrawn, or the allocator would forget that it is held: what its card does not
    offer any more, and a card that is gone, are published with these alone.
    """
    others = [spec for spec in specs if spec["pool"]["name"] not in lost]
    for pool, names in sorted(lost.items()):
        here = [_with_taints(spec, names) for spec in specs if spec["pool"]["name"] == pool]
        offered = {device["name"] for spec in here for device in spec.get("devices", [])}
        gone = [{"name": n, "attributes": {"kind": attribute("lost")}} for n in sorted({*names} - offered)]
        parts = [*here, *([_with_taints({"devices": gone}, names)] if gone else [])]
        others += pooled(node, pool, [{key: part[key] for key in _PARTS & part.keys()} for part in parts])
    return others


def _with_taints(spec: Json, lost: tuple[str, ...]) -> Json:
    taint = {"key": TaintKey.LOST.qualified, "effect": "NoExecute"}
    devices = [
        {**device, "taints": [*device.get("taints", []), taint]} if device["name"] in lost else device
        for device in spec.get("devices", [])
    ]
    return {**spec, "devices": devices} if devices else spec


def pool_of_kvm(node: Node, accelerated: bool) -> list[Json]:
    """What every node has for as many as want it: /dev/kvm, and what is taken where no slice or no cell is left."""
    attributes = {
        "kvm": {"kind": attribute("kvm"), "accelerated": attribute(accelerated)},
        VIRTUAL_GPU: {"kind": attribute(VIRTUAL_GPU)},
        FLOATING: {"kind": attribute(FLOATING)},
    }
    devices = [{"name": n, "attributes": of, "allowMultipleAllocations": True} for n, of in attributes.items()]
    return pooled(node.name, pool_name(node.name, "kvm"), [{"devices": devices}])


def pool_of_shared(node: Node, kind: str) -> list[Json]:
    """The one device of this kind, "tap" or "vsock", that every VM claims which wants such: each gets its own of it."""
    device = {"name": kind, "attributes": {"kind": attribute(kind)}, "allowMultipleAllocations": True}
    return pooled(node.name, pool_name(node.name, kind), [{"devices": [device]}])


def changes(node: Node, wanted: list[Json], published: list[Json], report: str = "") -> Changes:
    """From what is published to what is wanted; whole pools or nothing.

    `report` is what the agent has to say of policies, and goes with the slice of kvm, which every node has. The
    pool stays as it is when only the words change.
    """
    put: list[Json] = []
    keep: set[str] = set()
    for pool in sorted({spec["pool"]["name"] for spec in wanted}):
        specs = [spec for spec in wanted if spec["pool"]["name"] == pool]
        present = [item for item in published if item["spec"]["pool"]["name"] == pool]
        keep |= {_name(pool, index) for index in range(len(specs))}
        put += _renewed(node, pool, specs, present)
    gone = sorted(item["metadata"]["name"] for item in published if item["metadata"]["name"] not in keep)
    return Changes(tuple(_reporting(node, put, published, report)), tuple(gone))


def _reporting(node: Node, put: list[Json], published: list[Json], report: str) -> list[Json]:
    """The slices to write, among them the one that carries the report where that is news."""
    if not report:
        return put
    carrier = _name(pool_name(node.name, "kvm"), 0)
    there = next((item for item in published if item["metadata"]["name"] == carrier), None)
    renewed = any(item["metadata"]["name"] == carrier for item in put)
    if there and not renewed and _report_of(there) != report:
        put = [*put, _slice(node, carrier, there["spec"])]
    return [_with_report(item, report) if item["metadata"]["name"] == carrier else item for item in put]


def _report_of(item: Json) -> str:
    return str((item["metadata"].get("annotations") or {}).get(REPORT_ANNOTATION, ""))


def _with_report(item: Json, report: str) -> Json:
    meta = item["metadata"]
    labels = {**meta["labels"], REPORT_LABEL: REPORT}
    return {**item, "metadata": {**meta, "labels": labels, "annotations": {REPORT_ANNOTATION: report}}}


def _renewed(node: Node, pool: str, specs: list[Json], present: list[Json]) -> list[Json]:
    """The slices of the pool to write."""
    names = [item["metadata"]["name"] for item in present]
    known = [_name(pool, place) for place in range(len(specs))]
    # one of another name is of a pool that was longer: it counts as published, and has no place
    places = {name: place for place, name in enumerate([*known, *(n for n in names if n not in known)])}
    by_place = {places[item["metadata"]["name"]]: item["spec"] for item in present}
    return [_slice(node, _name(pool, place), spec) for place, spec in sorted(renewed(specs, by_place).items())]


def _slice(node: Node, name: str, spec: Json) -> Json:
    owner = {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid, "controller": True}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceSlice",
        "metadata": {
            "name": name,
            "labels": {MANAGED_BY: MANAGER},
            "ownerReferences": [owner],
        },
        "spec": spec,
    }


def _name(pool: str, index: int) -> str:
    return f"{pool}-libvf-{index}"


def pooled(node: str, pool: str, specs: list[Json]) -> list[Json]:
    """The parts of slices as those of one pool, without generation."""
    head = {"name": pool, "generation": 0, "resourceSliceCount": len(specs)}
    return [{"driver": DRIVER, "nodeName": node, "pool": head, **spec} for spec in specs]


def _counter_sets(offers: Offers) -> list[Json]:
    """The counters in sets of 32; a device may draw on two sets, which real cards never exceed."""
    counters = list(offers.counters)
    return [dict(counters[start : start + COUNTERS_A_SET]) for start in range(0, len(counters), COUNTERS_A_SET)]


def _values(amounts: tuple[tuple[str, int], ...] | dict[str, int]) -> Json:
    return {name: {"value": of_bytes(amount)} for name, amount in dict(amounts).items()}


def _device(gpu: Gpu, offer: Offer, owner: dict[str, int]) -> Json:
    consumed: dict[int, dict[str, int]] = {}
    for counter, amount in offer.consumes:
        consumed.setdefault(owner[counter], {})[counter] = amount
    return {
        "name": offer.name,
        "attributes": _attributes(gpu, offer),
        **({"capacity": {"vram": {"value": of_bytes(offer.type.vram)}}} if offer.type.vram else {}),
        "consumesCounters": [{"counterSet": f"gpu{i}", "counters": _values(part)} for i, part in consumed.items()],
        **_tainted((*(taint.key for taint in (*gpu.taints, *offer.type.taints)), *_by_rule(gpu, offer))),
    }


def _by_rule(gpu: Gpu, offer: Offer) -> tuple[TaintKey, ...]:
    """What a policy does not allow any more is offered only because it is in use: nobody else is to come."""
    if not gpu.rules.allows(offer.type.mode, offer.type.id):
        return (TaintKey.EXCLUDED,)
    return (TaintKey.DRAINING,) if gpu.rules.draining else ()


def _tainted(keys: Iterable[TaintKey]) -> Json:
    taints = [{"key": key.qualified, "effect": "NoSchedule"} for key in dict.fromkeys(keys)]
    return {"taints": taints} if taints else {}


def _attributes(gpu: Gpu, offer: Offer) -> Json:
    values: dict[str, str | int | bool | None] = {
        "kind": gpu.kind,
        "type": offer.type.id,
        "typeName": offer.type.name[:64],
        "vendor": gpu.vendor,
        "mode": offer.type.mode,
        "parent": gpu.name,
        "device": gpu.pci_id,
        "open": offer.open,
        "display": offer.type.display,
        "policy": gpu.rules.policy or None,
        "link": gpu.link,
        NUMA_ATTRIBUTE: gpu.numa_node,
        PCIE_ROOT_ATTRIBUTE: gpu.pcie_root,
    }
    return {key: attribute(value) for key, value in values.items() if value is not None}
