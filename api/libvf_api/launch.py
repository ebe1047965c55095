"""The launch document: all that a launcher is told, fixed when its Pod is made (docs/contracts.md)."""

import msgspec

from libvf_api.v1alpha1 import VirtualMachineSpec


class ClaimRequest(msgspec.Struct, frozen=True):
    """Where a device comes from: a request of a ResourceClaim."""

    claim: str
    request: str


class Gpu(msgspec.Struct, frozen=True):
    """A GPU of the VM by its name in the spec, and where it comes from."""

    name: str
    claim: str
    request: str


class HostDevice(msgspec.Struct, frozen=True):
    """What else the VM gets of its host: of what kind, its name in the VM, and where it comes from."""

    kind: str
    name: str
    claim: str
    request: str


class Launch(msgspec.Struct, frozen=True, omit_defaults=True):
    """The VM's identity and spec with the claims that carry its devices."""

    name: str
    namespace: str
    uid: str
    spec: VirtualMachineSpec
    gpus: list[Gpu] = []
    kvm: ClaimRequest | None = None
    devices: list[HostDevice] = []


def encode(launch: Launch) -> bytes:
    """As canonical JSON: equal documents are equal bytes."""
    return msgspec.json.encode(launch, order="sorted")


def decode(text: str | bytes) -> Launch:
    """Read it; raises msgspec.ValidationError that names the field."""
    return msgspec.json.decode(text, type=Launch)
