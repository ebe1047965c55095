"""The parts of a ResourceClaim the agent reads, typed at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from libvf_api.names import DRIVER
from libvf_api.nic_config import BadNicConfig
from libvf_api.nic_config import parse as parse_nic
from libvf_api.quantity import to_bytes

from libvf_agent.errors import BadConfig, ClaimError

POD_CLAIM_NAME = "resource.kubernetes.io/pod-claim-name"


class Result(msgspec.Struct, frozen=True, rename="camel"):
    """One allocated device; `request` is "gpu/open" where a subrequest was chosen, `consumed` what it takes of one that
    many share."""

    request: str
    driver: str
    pool: str
    device: str
    share_id: str | None = msgspec.field(default=None, name="shareID")
    consumed: dict[str, str | int] = msgspec.field(default={}, name="consumedCapacity")

    @property
    def amounts(self) -> dict[str, int]:
        """What it takes as whole numbers: CPUs, bytes. Raises BadQuantity."""
        return {name.rpartition("/")[2]: to_bytes(amount) for name, amount in self.consumed.items()}


class _Opaque(msgspec.Struct, frozen=True):
    driver: str
    parameters: Any = None


class _Config(msgspec.Struct, frozen=True):
    opaque: _Opaque | None = None
    requests: tuple[str, ...] = ()

    def is_for(self, request: str) -> bool:
        """Whether it is about a request, "nic" or "nic/sub"; one that names none is about all of them."""
        return not self.requests or request in self.requests or request.partition("/")[0] in self.requests


class _Devices(msgspec.Struct, frozen=True):
    results: tuple[Result, ...] = ()
    config: tuple[_Config, ...] = ()


class _Allocation(msgspec.Struct, frozen=True):
    devices: _Devices = _Devices()


class _Status(msgspec.Struct, frozen=True):
    allocation: _Allocation | None = None


class _Meta(msgspec.Struct, frozen=True):
    name: str
    namespace: str
    uid: str
    generation: int = 0
    annotations: dict[str, str] = {}


class Claim(msgspec.Struct, frozen=True):
    """A claim as the API server shows it."""

    metadata: _Meta
    status: _Status = _Status()

    @property
    def allocated(self) -> tuple[Result, ...]:
        """The devices of our driver in it; none where it is not allocated."""
        allocation = self.status.allocation
        return tuple(r for r in allocation.devices.results if r.driver == DRIVER) if allocation else ()

    def mac(self, request: str) -> str:
        """The address that the request's device is to have, by the last NicConfig for it; empty for the card's own.

        What a DeviceClass says comes before what the claim says. Raises BadConfig.
        """
        configs = self.status.allocation.devices.config if self.status.allocation else ()
        said = [c.opaque.parameters for c in configs if c.opaque and c.opaque.driver == DRIVER and c.is_for(request)]
        try:
            macs = [config.mac for config in map(parse_nic, said) if config.mac]
        except BadNicConfig as error:
            raise BadConfig(f"the configuration for request {request} is not understood: {error}") from error
        if macs and sum(one.request == request for one in self.allocated) > 1:
            raise BadConfig(f"{macs[-1]} is for one function, and request {request} has several: make it one each")
        return macs[-1] if macs else ""

    @property
    def pod_claim_name(self) -> str | None:
        """The Pod's own name for a claim made from a template."""
        return self.metadata.annotations.get(POD_CLAIM_NAME)


@dataclass(frozen=True, slots=True)
class ClaimRef:
    """What kubelet says of a claim: no more than this."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"claim {self.namespace}/{self.name} ({self.uid})"


def parse(document: Any) -> Claim:
    """The claim of an API object; ClaimError where it is not one."""
    try:
        return msgspec.convert(document, Claim)
    except msgspec.ValidationError as error:
        raise ClaimError(f"the API server's claim is not understood: {error}: is the cluster 1.36 or newer?") from error


def allocated_to_us(claim: Claim, ref: ClaimRef) -> tuple[Result, ...]:
    """The devices to prepare; ClaimError where the claim was made anew or is not allocated to us."""
    if claim.metadata.uid != ref.uid:
        raise ClaimError(f"{ref} was deleted and made anew as {claim.metadata.uid}: delete the Pod that waits for it")
    if not claim.allocated:
        raise ClaimError(f"{ref} has no device of {DRIVER} allocated: it is asked for again when it has")
    return claim.allocated
