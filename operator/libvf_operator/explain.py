"""Why a claim waits, in plain words, from what is published and allocated. Advice: the scheduler decides. Pure."""

import fnmatch
from collections import Counter
from dataclasses import dataclass

from libvf_api import names
from libvf_api.quantity import to_bytes

from libvf_operator import claim as claims
from libvf_operator.objects import Object


@dataclass(frozen=True, slots=True)
class Offer:
    """A published device."""

    pool: str
    name: str
    type: str
    vram: int
    vendor: str
    mode: str


def offers(slices: list[Object]) -> list[Offer]:
    """All GPU slices that our driver publishes."""
    found = [
        (piece["spec"]["pool"]["name"], device)
        for piece in slices
        if piece["spec"]["driver"] == names.DRIVER
        for device in piece["spec"].get("devices") or []
    ]
    return [_offer(pool, device) for pool, device in found if _text(device, "kind") == "gpu"]


def why(spec: Object, slices: list[Object], allocated: list[Object], scheduler: str) -> str:
    """One sentence and its cure for a partition's spec; `scheduler` is what the scheduler said of the Pod."""
    published = offers(slices)
    if not published:
        return "no node offers a GPU slice: is the libvf agent running where the cards are?"
    fitting = [offer for offer in published if _fits(spec, offer)]
    if not fitting:
        kinds = ", ".join(f"{kind} ({number})" for kind, number in sorted(Counter(o.type for o in published).items()))
        return f"no card offers {_wanted(spec)}; offered are {kinds}: ask for one of these"
    holders = {
        (result["pool"], result["device"]): "/".join((c["metadata"]["namespace"], c["metadata"]["name"]))
        for c in allocated
        for result in claims.results(c)
    }
    taken = [offer for offer in fitting if (offer.pool, offer.name) in holders]
    if len(taken) == len(fitting):
        users = ", ".join(sorted({holders[offer.pool, offer.name] for offer in taken})[:8])
        return f"all {len(fitting)} slices that are {_wanted(spec)} are in use by {users}: stop one, or ask for another"
    free = len(fitting) - len(taken)
    return (
        f"{free} of {len(fitting)} slices that are {_wanted(spec)} are not allocated, but their cards hold "
        f"other slices or their nodes do not fit; the scheduler says: {scheduler or 'nothing yet'}"
    )


def _fits(spec: Object, offer: Offer) -> bool:
    vram = spec.get("vram", {})
    return (
        fnmatch.fnmatchcase(offer.type, spec.get("type", "*"))
        and spec.get("vendor", offer.vendor) == offer.vendor
        and spec.get("mode", offer.mode) == offer.mode
        and to_bytes(vram.get("min", 0)) <= offer.vram
        and ("max" not in vram or offer.vram <= to_bytes(vram["max"]))
    )


def _wanted(spec: Object) -> str:
    vram = spec.get("vram", {})
    words = [spec.get("vendor"), spec.get("type")]
    words += [f"at least {vram['min']}" if "min" in vram else None, f"at most {vram['max']}" if "max" in vram else None]
    return " ".join(word for word in words if word) or "any slice"


def _offer(pool: str, device: Object) -> Offer:
    vram = (device.get("capacity") or {}).get("vram", {}).get("value", "0")
    texts = (_text(device, key) for key in ("type", "vendor", "mode"))
    kind, vendor, mode = texts
    return Offer(pool, device["name"], kind, to_bytes(vram), vendor, mode)


def _text(device: Object, key: str) -> str:
    return str((device.get("attributes") or {}).get(key, {}).get("string", ""))
