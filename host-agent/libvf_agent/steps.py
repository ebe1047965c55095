"""What a plan is made of: frozen steps, each with the evidence that it was done and its own undo."""

from __future__ import annotations

import uuid

import msgspec

NAMESPACE = uuid.UUID("5ad9ab9c-6f1c-5e64-a8c0-2ba24d2a9e0f")


class Evidence(msgspec.Struct, frozen=True):
    """The step was done if `link` leads to the same place as `same_as`, and is undone when `path` is gone too.

    For a mediated device the kernel takes what is below /sys/bus away at once, and the device's own folder in its
    parent only when nobody holds it open any more.
    """

    path: str
    link: str
    same_as: str


class Undo(msgspec.Struct, frozen=True):
    """The write that takes a step back; it blocks while `node` is held open."""

    path: str
    value: str


class Write(msgspec.Struct, frozen=True):
    """One value into one kernel file."""

    path: str
    value: str
    evidence: Evidence
    undo: Undo


class Plan(msgspec.Struct, frozen=True):
    """How one allocated device is made, in order; undone in reverse."""

    uuid: str
    parent: str
    type: str
    steps: tuple[Write, ...]


def device_uuid(claim_uid: str, device: str) -> str:
    """The UUID a claim's device always gets: carving is idempotent, and the journal proves it is ours."""
    return str(uuid.uuid5(NAMESPACE, f"{claim_uid}/{device}"))
