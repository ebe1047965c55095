"""Why a claim waits, in plain words, from what is published and allocated. Advice: the scheduler decides. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from libvf_api.offers import devices, text, unfit, wanted

from libvf_operator import cell as cells
from libvf_operator import rooms
from libvf_operator.allocated import Allocated
from libvf_operator.objects import Object
from libvf_operator.published import Held, Kind, Published

_TYPES_TOLD = 12


def why(spec: Object, published: Published, allocated: Allocated, scheduler: str) -> str:
    """Reason and cure for a partition's spec, for each type; `scheduler` is what the scheduler said of the Pod."""
    if not published.kinds:
        return "no node offers a GPU slice: is the libvf agent running where the cards are?"
    held = allocated.held
    by_type: dict[str, list[Kind]] = defaultdict(list)
    for kind in published.kinds:
        by_type[kind.offer.type].append(kind)
    fitting = [kind for kind in published.kinds if not unfit(spec, kind.offer)]
    if not fitting:
        told = (f"{name} {unfit(spec, kinds[0].offer)}" for name, kinds in sorted(by_type.items()))
        return f"no card offers {wanted(spec)}: {_few(told)}; ask for one of these, or add a card"
    if all(place in held for kind in fitting for place in kind.places):
        places = [place for kind in fitting for place in kind.places]
        users = sorted({held[place] for place in places})
        many = f"all {len(places)} slices that are {wanted(spec)} are in use by"
        return f"{many} {', '.join(users[:8])}: stop one, or ask for another"
    cell = spec.get("cell")
    if cell and not cells.preferred(cell) and (words := rooms.why(cell, spec, published, allocated)):
        return words
    types = sorted({kind.offer.type for kind in fitting})
    told = (f"{name} {_room(by_type[name], held)}" for name in types)
    return (
        f"no slice that is {wanted(spec)} can be had now: {_few(told)}; free ones may be kept from it by other slices "
        f"on their cards or by their nodes; the scheduler says: {scheduler or 'nothing yet'}"
    )


def why_no_kvm(slices: list[Object]) -> str:
    """Why a claim on hardware virtualization waits; empty where some node has it."""
    found = [device for _, device in devices(slices) if text(device, "kind") == "kvm"]
    if any((device["attributes"].get("accelerated") or {}).get("bool") for device in found):
        return ""
    return (
        f"none of {len(found)} nodes with the libvf agent has KVM: load kvm_intel or kvm_amd there, or set "
        "cpu.acceleration to Preferred"
    )


def why_none_of(kinds: list[str], slices: list[Object]) -> str:
    """Why claims on what else a VM gets of its host wait; empty where each kind is offered somewhere."""
    offered = {text(device, "kind") for _, device in devices(slices)}
    missing = [kind for kind in kinds if kind in _CURES and kind not in offered]
    return f"no node offers a {missing[0]}: {_CURES[missing[0]]}" if missing else ""


def why_no_usb(ids: list[str], slices: list[Object]) -> str:
    """Why claims on USB devices with these ids wait; empty where each is offered somewhere."""
    offered = {text(device, "device") for _, device in devices(slices) if text(device, "kind") == "usb"}
    missing = [one for one in ids if one not in offered]
    cure = "plug it in, and name it in LIBVF_USB of the DaemonSet libvf-agent"
    return f"no node offers the USB device {missing[0]}: {cure}" if missing else ""


_CURES = {
    "tap": "load the module tun on the nodes, or set network.mode to User",
    "nic": "name a network card in a GpuPolicy, with virtualFunctions.count",
    "vsock": "load the module vhost_vsock on the nodes, or leave network.vsock out",
}


def _room(kinds: list[Kind], held: Held) -> str:
    places = [place for kind in kinds for place in kind.places]
    taken = sum(place in held for place in places)
    return f"has {len(places) - taken} of {len(places)} unallocated"


def _few(told: Iterable[str]) -> str:
    words = list(told)
    more = f", and {len(words) - _TYPES_TOLD} more" if len(words) > _TYPES_TOLD else ""
    return ", ".join(words[:_TYPES_TOLD]) + more
