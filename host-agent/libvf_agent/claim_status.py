"""What a claim's devices became, in `ResourceClaim.status.devices`: the only place it is told. Pure."""

from __future__ import annotations

from typing import Any

from libvf_api.names import DRIVER

from libvf_agent.claims import Claim, Result
from libvf_agent.journal import Entry, Phase, Slice


def entry_of(claim: Claim, results: tuple[Result, ...]) -> Entry:
    """The claim as an entry with nothing carved yet, in no boot."""
    meta = claim.metadata
    slices = tuple(Slice(r.request, r.pool, r.device, r.share_id) for r in results)
    return Entry(meta.uid, meta.namespace, meta.name, "", Phase.STARTED, slices, claim.pod_claim_name, meta.generation)


def carved(entry: Entry, now: str) -> list[dict[str, Any]]:
    """All devices with condition Ready true; `now` is RFC 3339."""
    return [_device(piece, _condition("True", "Carved", "the device is there", now)) for piece in entry.slices]


def failed(entry: Entry, message: str, now: str) -> list[dict[str, Any]]:
    """All devices with condition Ready false and the reason, cure included, as its message."""
    return [_device(piece, _condition("False", "CarveFailed", message, now)) for piece in entry.slices]


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
    }


def _condition(status: str, reason: str, message: str, now: str) -> dict[str, Any]:
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message[:32000],
        "lastTransitionTime": now,
    }
