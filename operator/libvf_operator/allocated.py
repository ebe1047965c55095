"""What all claims have by now: which has each device, and how much of those that many share. Pure.

Kept in step claim by claim, as a data centre has ten thousands of them and each machine that waits asks.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from libvf_api.offers import Place, holders, results
from libvf_api.quantity import to_bytes

from libvf_operator.objects import Object


@dataclass(frozen=True, slots=True)
class Allocated:
    """`held` is which claim, as namespace/name, has each device; `taken` what is consumed of each by capacity."""

    held: dict[Place, str] = field(default_factory=dict)
    taken: dict[Place, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    @classmethod
    def of(cls, claims: list[Object]) -> "Allocated":
        """What these have."""
        found = cls()
        for claim in claims:
            found.change(None, claim)
        return found

    def change(self, before: Object | None, now: Object | None) -> None:
        """A claim as it was and as it is; of those that share a device the last one is found by its place."""
        for place, holder in holders([before] if before else []).items():
            if self.held.get(place) == holder:
                del self.held[place]
        self.held.update(holders([now] if now else []))
        self._consume(before, -1)
        self._consume(now, 1)

    def _consume(self, claim: Object | None, sign: int) -> None:
        for result in results(claim) if claim else []:
            for name, amount in (result.get("consumedCapacity") or {}).items():
                self.taken[result["pool"], result["device"]][name] += sign * to_bytes(amount)
