"""Addresses of virtual functions: set through the link of their network card, and taken back.

Sources: Linux, include/uapi/linux/if_link.h and net/core/rtnetlink.c; for what drivers say igb_main.c,
i40e_virtchnl_pf.c, ice_sriov.c and be_main.c.
"""

from __future__ import annotations

import time

from libvf_agent import links
from libvf_agent.errors import Absent, Busy, Refused
from libvf_agent.pci import DEVICES
from libvf_agent.steps import Mac
from libvf_agent.sysfs import Sysfs

RETRY_SECONDS = 0.25


def is_set(sysfs: Sysfs, step: Mac) -> bool:
    """Whether the function is there with another address than before.

    Not only with ours: one that its card trusts lets its guest change it, and is not lost by that. Nor is one whose
    card's link somebody has moved out of the host's network.
    """
    if links.of(sysfs, step.physical) is None:
        return sysfs.exists(f"{DEVICES}/{step.physical}/virtfn{step.number}")
    there = _addresses(sysfs, step)
    if step.number >= len(there):
        return False
    return there[step.number] == step.mac or there[step.number] != step.was


def put(sysfs: Sysfs, step: Mac, deadline: float) -> None:
    """Sets it; Busy where the driver is not ready in time, Refused where it does not do that."""
    link = _link(sysfs, step)
    _set(sysfs, link, step.number, step.mac, deadline)
    there = _addresses(sysfs, step)
    if step.number >= len(there) or there[step.number] != step.mac:
        raise Refused(
            f"the driver of {link} took {step.mac} for function {step.number} of {step.physical} and did not set it: "
            "see the kernel log of this node, or ask for another card by nics[].device"
        )


def put_back(sysfs: Sysfs, step: Mac, deadline: float) -> None:
    """As it was before.

    Some drivers take no zero, which is what a new function has; there ours stays until the next claim sets its own,
    or until the function goes.
    """
    try:
        _set(sysfs, _link(sysfs, step), step.number, step.was, deadline)
    except (Absent, Refused):
        return


def _link(sysfs: Sysfs, step: Mac) -> str:
    link = links.of(sysfs, step.physical)
    if link is None:
        raise Absent(
            f"{step.physical} has no Ethernet link, by which its functions get their addresses: "
            "load its driver on this node, and leave the link in the host's own network namespace"
        )
    return link


def _addresses(sysfs: Sysfs, step: Mac) -> tuple[str, ...]:
    link = links.of(sysfs, step.physical)
    return sysfs.macs(link) if link else ()


def _set(sysfs: Sysfs, link: str, number: int, mac: str, deadline: float) -> None:
    """A driver may say EBUSY or EAGAIN while a new function resets itself."""
    until = time.monotonic() + deadline
    while True:
        try:
            sysfs.set_mac(link, number, mac)
            return
        except Busy:
            if time.monotonic() >= until:
                raise
            time.sleep(RETRY_SECONDS)
        except Refused as error:
            raise Refused(f"{error}, or ask for a card whose driver sets addresses, by nics[].device") from error
