"""Why a claim waits, in plain words, from what is published and allocated. Advice: the scheduler decides. Pure."""

import fnmatch
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from libvf_api import names
from libvf_api.quantity import of_bytes, to_bytes
from libvf_api.taints import WORDS

from libvf_operator import claim as claims
from libvf_operator.objects import Object

_TYPES_TOLD = 12


@dataclass(frozen=True, slots=True)
class Offer:
    """A published GPU device."""

    pool: str
    name: str
    type: str
    vram: int
    vendor: str
    mode: str
    device: str
    taints: tuple[str, ...] = ()


def why(spec: Object, slices: list[Object], allocated: list[Object], scheduler: str) -> str:
    """Reason and cure for a partition's spec, for each type; `scheduler` is what the scheduler said of the Pod."""
    published = offers(slices)
    if not published:
        return "no node offers a GPU slice: is the libvf agent running where the cards are?"
    by_type: dict[str, list[Offer]] = defaultdict(list)
    for offer in published:
        by_type[offer.type].append(offer)
    holders = _holders(allocated)
    fitting = fit(spec, published)
    if not fitting:
        told = (f"{kind} {_unfit(spec, offered[0])}" for kind, offered in sorted(by_type.items()))
        return f"no card offers {_wanted(spec)}: {_few(told)}; ask for one of these, or add a card"
    if all((offer.pool, offer.name) in holders for offer in fitting):
        users = sorted({holders[offer.pool, offer.name] for offer in fitting})
        many = f"all {len(fitting)} slices that are {_wanted(spec)} are in use by"
        return f"{many} {', '.join(users[:8])}: stop one, or ask for another"
    told = (
        f"{kind} {_room(offered, holders)}" for kind, offered in sorted(by_type.items()) if set(offered) & set(fitting)
    )
    return (
        f"no slice that is {_wanted(spec)} can be had now: {_few(told)}; free ones may be kept from it by other slices "
        f"on their cards or by their nodes; the scheduler says: {scheduler or 'nothing yet'}"
    )


def why_no_kvm(slices: list[Object]) -> str:
    """Why a claim on hardware virtualization waits; empty where some node has it."""
    found = [device for _, device in devices(slices) if _text(device, "kind") == "kvm"]
    if any((device["attributes"].get("accelerated") or {}).get("bool") for device in found):
        return ""
    return (
        f"none of {len(found)} nodes with the libvf agent has KVM: load kvm_intel or kvm_amd there, or set "
        "cpu.acceleration to Preferred"
    )


def fit(spec: Object, published: list[Offer]) -> list[Offer]:
    """Those that the scheduler may give for this spec, free or not."""
    return [offer for offer in published if not _unfit(spec, offer)]


def offers(slices: list[Object]) -> list[Offer]:
    """All GPU slices that our driver publishes."""
    return [_offer(pool, device) for pool, device in devices(slices) if _text(device, "kind") == "gpu"]


def devices(slices: list[Object]) -> list[tuple[str, Object]]:
    """All devices that our driver publishes, each with its pool."""
    return [
        (piece["spec"]["pool"]["name"], device)
        for piece in slices
        if piece["spec"]["driver"] == names.DRIVER
        for device in piece["spec"].get("devices") or []
    ]


def _holders(allocated: list[Object]) -> dict[tuple[str, str], str]:
    return {
        (result["pool"], result["device"]): "/".join((claim["metadata"]["namespace"], claim["metadata"]["name"]))
        for claim in allocated
        for result in claims.results(claim)
    }


def _unfit(spec: Object, offer: Offer) -> str:
    """Why an offer does not meet the spec; empty where it does."""
    vram = spec.get("vram", {})
    if not fnmatch.fnmatchcase(offer.type, spec.get("type", "*")):
        return "is another type"
    for name in ("vendor", "mode", "device"):
        if spec.get(name, getattr(offer, name)) != getattr(offer, name):
            return f"is of {name} {getattr(offer, name) or 'unknown'}"
    if vram and not offer.vram:
        return "has no video memory"
    if offer.vram < to_bytes(vram.get("min", 0)):
        return f"({of_bytes(offer.vram)}) is too small"
    if "max" in vram and offer.vram > to_bytes(vram["max"]):
        return f"({of_bytes(offer.vram)}) is too large"
    return next((WORDS.get(key, f"is tainted {key}: see the agent's log") for key in offer.taints), "")


def _room(offered: list[Offer], holders: dict[tuple[str, str], str]) -> str:
    taken = sum((offer.pool, offer.name) in holders for offer in offered)
    return f"has {len(offered) - taken} of {len(offered)} unallocated"


def _few(told: Iterable[str]) -> str:
    words = list(told)
    more = f", and {len(words) - _TYPES_TOLD} more" if len(words) > _TYPES_TOLD else ""
    return ", ".join(words[:_TYPES_TOLD]) + more


def _wanted(spec: Object) -> str:
    vram = spec.get("vram", {})
    words = [spec.get("vendor"), spec.get("type"), spec.get("device")]
    words += [f"at least {vram['min']}" if "min" in vram else None, f"at most {vram['max']}" if "max" in vram else None]
    return " ".join(word for word in words if word) or "any slice"


def _offer(pool: str, device: Object) -> Offer:
    vram = (device.get("capacity") or {}).get("vram", {}).get("value", "0")
    kind, vendor, mode, pci = (_text(device, key) for key in ("type", "vendor", "mode", "device"))
    taints = tuple(str(taint["key"]) for taint in device.get("taints") or [])
    return Offer(pool, device["name"], kind, to_bytes(vram), vendor, mode, pci, taints)


def _text(device: Object, key: str) -> str:
    return str((device.get("attributes") or {}).get(key, {}).get("string", ""))
