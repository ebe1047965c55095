"""All ways of carving, the finest first: a card that several of them know is cut by each, in one pool."""

from __future__ import annotations

from libvf_agent.backends import Backend
from libvf_agent.backends.mediated import Mediated
from libvf_agent.backends.nvidia_vfio import NvidiaVfio
from libvf_agent.backends.passthrough import Passthrough
from libvf_agent.backends.sriov import VirtualFunctions
from libvf_agent.backends.xe import Xe


def known() -> tuple[Backend, ...]:
    """One of each backend; a whole card comes last."""
    return (Mediated(), NvidiaVfio(), Xe(), VirtualFunctions(), Passthrough())
