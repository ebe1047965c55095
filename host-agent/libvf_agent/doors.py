"""What a host's agent looks at and may hand out: one value, so that a test or a lab puts others in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from libvf_agent import cpu_manager, kvm, tap
from libvf_agent.numa import USUAL, Reserve
from libvf_agent.steps import Facts
from libvf_agent.sysfs import Sysfs
from libvf_agent.vsock import Vhost, Vsock


@dataclass(frozen=True, slots=True)
class Doors:
    """The kernel's files and devices; `accelerated` looks at /dev/kvm, `tap` at /dev/net/tun.

    `usb_ids` are the USB devices that may be handed out, `reserve` is what of each NUMA node no cell gets, and
    `kubelet` the folder of kubelet's state, below the host's root.
    """

    sysfs: Sysfs
    accelerated: Callable[[], bool] = kvm.accelerated
    tap: Callable[[], Facts | None] = tap.facts
    vsocks: Vsock = field(default_factory=Vhost)
    usb_ids: frozenset[str] = frozenset()
    reserve: Reserve = USUAL
    kubelet: str = cpu_manager.FOLDER
