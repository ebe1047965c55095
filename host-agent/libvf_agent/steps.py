"""What a plan is made of: frozen steps, each with the evidence that it was done and its own undo."""

from __future__ import annotations

import uuid

import msgspec
from libvf_api.mac import ZERO

NAMESPACE = uuid.UUID("5ad9ab9c-6f1c-5e64-a8c0-2ba24d2a9e0f")


class Leads(msgspec.Struct, frozen=True, tag_field="kind", tag="leads"):
    """The step was done if `link` leads to the same place as `same_as`, and is undone when `path` is gone too.

    For a mediated device the kernel takes what is below /sys/bus away at once, and the device's own folder in its
    parent only when nobody holds it open any more.
    """

    path: str
    link: str
    same_as: str


class Reads(msgspec.Struct, frozen=True, tag_field="kind", tag="reads"):
    """The step was done if the file reads `value`, and is undone where it reads `before` or is not there.

    `value` None stands for everything but `before`: drivers round quotas.
    """

    path: str
    before: str
    value: str | None


Evidence = Leads | Reads


class Undo(msgspec.Struct, frozen=True):
    """The write that takes a step back; it blocks while the device is held open."""

    path: str
    value: str


class Write(msgspec.Struct, frozen=True, tag_field="kind", tag="write"):
    """One value into one kernel file.

    `device` is the folder whose VFIO group tells who holds the result open, `functions` the physical function
    whose virtual functions must all be idle before the undo. A `shared` step stands in the plans of several
    claims: the first one does it, and the last one that has it takes it back. One that `shapes` says more of what
    an earlier step has made: it has that one's evidence, and is there as long as that is.
    """

    path: str
    value: str
    evidence: Evidence
    undo: Undo
    device: str = ""
    functions: str = ""
    shared: bool = False
    shapes: bool = False


class Bind(msgspec.Struct, frozen=True, tag_field="kind", tag="bind"):
    """A PCI function moved to a VFIO driver; undone, it is where it was.

    `was` is the driver before, empty for none, `override` what driver_override held. Where `was` is the
    wanted driver there is nothing to do and nothing to undo.
    """

    address: str
    driver: str
    was: str
    override: str = ""


class Run(msgspec.Struct, frozen=True, tag_field="kind", tag="run"):
    """A vendor's own program, where the kernel's file refuses everybody else; `undo` is its counterpart.

    `then` are programs that belong to it and whose effect no file shows, `busy` is what it says where the same
    again may do: some other program had the card open.
    """

    argv: tuple[str, ...]
    evidence: Reads
    undo: tuple[str, ...]
    then: tuple[tuple[str, ...], ...] = ()
    busy: str = ""
    functions: str = ""
    shared: bool = False


class Mac(msgspec.Struct, frozen=True, tag_field="kind", tag="mac"):
    """The address of a virtual function of a network card, set through its physical function by rtnetlink.

    `number` is the function's, from 0; `was` its address before, zero where it was not there yet or had none. The
    link is looked up by the card each time, as somebody may rename it.
    """

    physical: str
    number: int
    mac: str
    was: str = ZERO


Step = Write | Bind | Run | Mac

Facts = dict[str, str | int | bool]
"""What a container and a claim's status are told of a device; bytes for sizes."""


class Plan(msgspec.Struct, frozen=True):
    """How one allocated device is made, in order; undone in reverse.

    `id` is the mediated device's UUID or the function's PCI address; `device` its folder in sysfs once it is
    there; `facts` what the guest's side needs to know and does not change while the device is there.
    """

    id: str
    parent: str
    type: str
    device: str
    steps: tuple[Step, ...]
    facts: Facts = {}


def device_uuid(claim_uid: str, device: str) -> str:
    """The UUID a claim's device always gets: carving is idempotent, and the journal proves it is ours."""
    return str(uuid.uuid5(NAMESPACE, f"{claim_uid}/{device}"))
