"""What the agent tells of its host, as JSON, to people and to `kubectl vf`."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad it is; `unknown` is what could not be read, and fails nothing."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one subject (a card, a NUMA node, "host"): what was read, and the cure where one is needed."""

    subject: str
    check: str
    severity: Severity
    what: str
    cure: str = ""


class Examination(msgspec.Struct, frozen=True):
    """All findings, in the order in which they should be cured."""

    findings: tuple[Finding, ...]


class TypeSeen(msgspec.Struct, frozen=True, rename="camel"):
    """A size a card can be cut into: `vram` in bytes; how many it takes now, and as an empty card."""

    id: str
    name: str
    vram: int
    available: int
    total: int


class CarvingSeen(msgspec.Struct, frozen=True, rename="camel"):
    """A slice that exists; `ours` where the journal has it, and then whose claim it is."""

    uuid: str
    parent: str
    type: str
    ours: bool
    claim: str = ""
    iommu_group: int | None = None


class TaintSeen(msgspec.Struct, frozen=True, rename="camel"):
    """Why nothing new comes to a card, or to one of its types; `message` has the cure."""

    key: str
    message: str
    type: str = ""


class GpuSeen(msgspec.Struct, frozen=True, rename="camel"):
    """A card; one that can not be cut now has neither parents nor types, and `policy` is the GpuPolicy that holds."""

    name: str
    vendor: str
    pci_id: str | None = None
    numa_node: int | None = None
    parents: tuple[str, ...] = ()
    types: tuple[TypeSeen, ...] = ()
    carvings: tuple[CarvingSeen, ...] = ()
    taints: tuple[TaintSeen, ...] = ()
    policy: str = ""

    @property
    def nothing(self) -> str:
        """Why there are no types, for people."""
        if self.policy:
            return f"GpuPolicy {self.policy} allows nothing of what it can be cut into: kubectl get gpol {self.policy}"
        return "can not be cut now"


class Gpus(msgspec.Struct, frozen=True):
    """All cards of a host."""

    gpus: tuple[GpuSeen, ...]
