"""One file per way of carving a card; all of them keep the protocol `Backend`."""

from __future__ import annotations

from typing import Protocol

from libvf_agent.inventory import Carving, Gpu, Offers
from libvf_agent.steps import Plan
from libvf_agent.sysfs import Sysfs


class Backend(Protocol):
    """Discover cards, offer slices, plan one, and look at what became of it."""

    def discover(self, sysfs: Sysfs) -> tuple[Gpu, ...]: ...
    def offers(self, gpu: Gpu, ours: dict[str, str]) -> Offers: ...
    def plan(self, gpu: Gpu, devices: tuple[str, ...], claim_uid: str) -> tuple[Plan, ...]: ...
    def observe(self, sysfs: Sysfs, uuid: str) -> Carving | None: ...
