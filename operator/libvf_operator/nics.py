"""Virtual functions of network cards: what a VM's claims on them ask, and why one waits. Pure."""

from libvf_api import mac as macs
from libvf_api import names, nic_config
from libvf_api.offers import Place, devices, text
from libvf_api.taints import WORDS

from libvf_operator.objects import Object
from libvf_operator.published import Held

_TOLD = 8


def claim(nic: Object) -> str:
    """What follows the VM's name in the name of a nic's claim."""
    return f"nic-{nic['name']}"


def conditions(nic: Object) -> list[str]:
    """CEL expressions for its claim: a whole card has no functions to set an address of."""
    found = ['device.attributes["libvf.io"].?mode.orValue("") == "VirtualFunction"']
    if device := nic.get("device"):
        found.append(f'device.attributes["libvf.io"].?device.orValue("") == "{device}"')
    return found


def config(machine: Object, name: str) -> Object:
    """The part of a claim that tells the agent the function's address; nothing for claims on anything else."""
    for nic in machine["spec"].get("nics", []):
        if claim(nic) == name:
            opaque = {"driver": names.DRIVER, "parameters": nic_config.parameters(address(machine, nic))}
            return {"config": [{"requests": [names.NIC], "opaque": opaque}]}
    return {}


def address(machine: Object, nic: Object) -> str:
    """As asked, else one that the VM's uid and the nic's name always give: the same on every host."""
    return str(nic.get("mac") or macs.derived(f"{machine['metadata']['uid']}/{nic['name']}"))


def why_none(machine: Object, slices: list[Object], held: Held) -> str:
    """Why a claim of the VM on a function can not be met; empty where nothing is seen that keeps it."""
    offered = [(piece, device) for piece, device in devices(slices) if text(device, "kind") == names.NIC]
    functions = [(piece, device) for piece, device in offered if text(device, "mode") == "VirtualFunction"]
    users = {held.get(_place(piece, device)) for piece, device in offered}
    for nic in machine["spec"].get("nics", []):
        own = "/".join((machine["metadata"]["namespace"], f"{machine['metadata']['name']}-{claim(nic)}"))
        if own not in users and (words := _why(nic, functions, held)):
            return f"nic {nic['name']}: {words}"
    return ""


def _why(nic: Object, functions: list[tuple[Object, Object]], held: Held) -> str:
    wanted = nic.get("device")
    fitting = [one for one in functions if wanted in (None, text(one[1], "device"))]
    if not fitting:
        return _none_offered(wanted, sorted({text(device, "device") for _, device in functions}))
    users = {held.get(_place(piece, device)) for piece, device in fitting}
    if None not in users:
        told = ", ".join(sorted(user for user in users if user)[:_TOLD])
        cure = "stop one, or have more made: virtualFunctions.count of the card's GpuPolicy"
        return f"all {len(fitting)} functions of {_cards(wanted)} are in use by {told}: {cure}"
    free = [device for piece, device in fitting if _place(piece, device) not in held]
    kept = {str(taint["key"]) for device in free for taint in device.get("taints") or []}
    if kept and all(device.get("taints") for device in free):
        told = ", ".join(WORDS.get(key, key) for key in sorted(kept))
        return f"none of {len(free)} free functions of {_cards(wanted)} may be had: what is left {told}"
    return ""


def _place(piece: Object, device: Object) -> Place:
    return piece["spec"]["pool"]["name"], device["name"]


def _none_offered(wanted: str | None, others: list[str]) -> str:
    cure = "name such a card in a GpuPolicy, by cards.devices or cards.addresses, with virtualFunctions.count"
    instead = f", or ask for a device that is offered: {', '.join(others[:_TOLD])}" if others else ""
    return f"no node offers functions of {_cards(wanted)}: {cure}{instead}"


def _cards(wanted: str | None) -> str:
    return f"network cards {wanted}" if wanted else "a network card"
