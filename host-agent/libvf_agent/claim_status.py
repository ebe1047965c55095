"""What a claim's devices became, in `ResourceClaim.status.devices`: the only place it is told. Pure."""

from __future__ import annotations

from typing import Any

from libvf_api import guest_report, residence
from libvf_api.guest_report import Guest
from libvf_api.names import CELL, DRIVER, GUEST, RESIDENCE
from libvf_api.residence import Residence

from libvf_agent.claims import Claim, Result
from libvf_agent.journal import Entry, Phase, Slice

_THERE = "the device is there"


def entry_of(claim: Claim, results: tuple[Result, ...]) -> Entry:
    """The claim as an entry with nothing carved yet, in no boot."""
    meta = claim.metadata
    slices = tuple(Slice(r.request, r.pool, r.device, r.share_id, amounts=r.amounts) for r in results)
    return Entry(meta.uid, meta.namespace, meta.name, "", Phase.STARTED, slices, claim.pod_claim_name, meta.generation)


def carved(entry: Entry, now: str) -> list[dict[str, Any]]:
    """All devices with condition Ready true; `now` is RFC 3339."""
    return [_device(piece, _condition("True", "Carved", _there(piece), now)) for piece in entry.slices]


def _there(piece: Slice) -> str:
    if piece.facts.get("linkUp", True):
        return _THERE
    link = piece.facts["link"]
    return f"{_THERE}; the link {link} of its card is down: on the node, ip link set {link} up"


def failed(entry: Entry, message: str, now: str) -> list[dict[str, Any]]:
    """All devices with condition Ready false and the reason, cure included, as its message."""
    return [_device(piece, _condition("False", "CarveFailed", message, now)) for piece in entry.slices]


def ours(uid: str, document: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Our devices as the claim tells of them; none where it is another claim by now."""
    if document is None or document["metadata"]["uid"] != uid:
        return []
    listed = (document.get("status") or {}).get("devices") or []
    return [device for device in listed if device["driver"] == DRIVER]


def with_guest(devices: list[dict[str, Any]], said: Guest) -> list[dict[str, Any]]:
    """The same with what the guest says on kvm; none where there is no such device."""
    if not any(map(_is_kvm, devices)):
        return []
    return [_with_guest(device, said) if _is_kvm(device) else device for device in devices]


def pods(uid: str, document: dict[str, Any] | None) -> tuple[str, ...]:
    """The uids of the Pods that the claim is reserved for; none where it is another claim by now."""
    if document is None or document["metadata"]["uid"] != uid:
        return ()
    reserved = (document.get("status") or {}).get("reservedFor") or []
    return tuple(str(one["uid"]) for one in reserved if one.get("resource") == "pods")


def with_residence(devices: list[dict[str, Any]], found: Residence) -> list[dict[str, Any]]:
    """The same with what was read of its QEMU on each cell; as they are where that is no news."""
    return [_with_residence(device, found) for device in devices]


def with_usb(devices: list[dict[str, Any]], became: dict[str, str], now: str) -> list[dict[str, Any]]:
    """The same with what became of USB devices, by name, as their condition; empty words where all is well."""
    return [
        {**device, "conditions": [_plugged(device["device"], became[device["device"]], now)]}
        if device["device"] in became
        else device
        for device in devices
    ]


def patch(entry: Entry, devices: list[dict[str, Any]]) -> dict[str, Any]:
    """The body of the server-side apply; the uid keeps it from touching a claim made anew."""
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": entry.name, "namespace": entry.namespace, "uid": entry.uid},
        "status": {"devices": devices},
    }


def _device(piece: Slice, condition: dict[str, Any]) -> dict[str, Any]:
    share = {"shareID": piece.share} if piece.share else {}
    return {
        "driver": DRIVER,
        "pool": piece.pool,
        "device": piece.device,
        **share,
        "conditions": [condition],
        "data": dict(piece.facts),
        **({"networkData": {"hardwareAddress": piece.mac}} if piece.mac else {}),
    }


def _plugged(name: str, became: str, now: str) -> dict[str, Any]:
    if became:
        return _condition("False", "PulledOut", f"{name} {became}", now)
    return _condition("True", "Carved", _THERE, now)


def _is_kvm(device: dict[str, Any]) -> bool:
    return "accelerated" in (device.get("data") or {})


def _with_guest(device: dict[str, Any], said: Guest) -> dict[str, Any]:
    data = {key: value for key, value in device["data"].items() if key != GUEST}
    told = guest_report.plain(said)
    return {**device, "data": {**data, **({GUEST: told} if told else {})}}


def _with_residence(device: dict[str, Any], found: Residence) -> dict[str, Any]:
    data = device.get("data") or {}
    before = residence.of(data.get(RESIDENCE))
    if data.get("kind") != CELL or (before and not found.is_news(before)):
        return device
    return {**device, "data": {**data, RESIDENCE: residence.plain(found)}}


def _condition(status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message[:32000],
        "lastTransitionTime": now,
    }
