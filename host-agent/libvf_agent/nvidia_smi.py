"""What NVIDIA's own tool says of a card, for what no file tells: its types while some can not be made, its mode.

The mode is the driver's runtime state and read by nvidia-smi or NVML only. It can not change while a vGPU
exists (nvidia-smi refuses, "In use by another client"), and is off again whenever virtual functions are made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from libvf_agent.errors import AgentError
from libvf_agent.nvidia_types import Said, VgpuType, said, supported
from libvf_agent.sysfs import Sysfs

TOOL = "nvidia-smi"
FRESH_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Told:
    """A card's time-sliced types, whatever is made at the moment, and its modes."""

    types: tuple[VgpuType, ...]
    said: Said


@dataclass(frozen=True, slots=True)
class _Answer:
    told: Told | None
    functions: int
    alive: bool
    at: float


class Tool:
    """Asks as seldom as it can: a call takes a second, and while it lasts sriov-manage is refused."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[str, _Answer] = {}

    def of(self, sysfs: Sysfs, address: str, functions: int, alive: bool) -> Told | None:
        """What it says of the card with so many functions, some of them `alive` as vGPUs; None where it is missing."""
        known = self._answers.get(address)
        if known is None or not self._holds(known, functions, alive):
            known = self._answers[address] = _Answer(_ask(sysfs, address), functions, alive, self._clock())
        return known.told

    def _holds(self, known: _Answer, functions: int, alive: bool) -> bool:
        if (known.functions, known.alive) != (functions, alive):
            return False
        return (alive and known.told is not None) or self._clock() < known.at + FRESH_SECONDS


def _ask(sysfs: Sysfs, address: str) -> Told | None:
    try:
        types = supported(sysfs.ask((TOOL, "vgpu", "-s", "-v", "-i", address)))
        return Told(types, said(sysfs.ask((TOOL, "-q", "-i", address)))) if types else None
    except AgentError:
        return None
