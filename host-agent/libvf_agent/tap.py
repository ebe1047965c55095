"""Whether this host can put a tap into a Pod's network: made by the hook libvf-tap when the Pod's container is made.

The hook runs as root in the Pod's network namespace, so the Pod itself needs no right; QEMU attaches to the tap through
/dev/net/tun as its owner (Linux: networking/tuntap.rst). With /dev/vhost-net the kernel carries the guest's data.
"""

from __future__ import annotations

from libvf_api.names import GUEST_ADDRESS, GUEST_GATEWAY, GUEST_NETWORK, QEMU_ID, READINESS_PORT, TAP_LINK

from libvf_agent.kvm import accelerated as opens
from libvf_agent.steps import Facts

TUN, VHOST = "/dev/net/tun", "/dev/vhost-net"
HOOK = "libvf-tap"


def facts(tun: str = TUN, vhost: str = VHOST) -> Facts | None:
    """What is told of a tap of this host; None where it has no module for them."""
    return {"tap": TAP_LINK, "vhostNet": opens(vhost)} if opens(tun) else None


def nodes(told: Facts) -> list[str]:
    """The device nodes that its QEMU needs."""
    return [TUN, *([VHOST] if told.get("vhostNet") else [])]


def arguments() -> list[str]:
    """How the hook is called: the link, the two addresses on it with their prefix, whose it is, the Pod's own port."""
    prefix = GUEST_NETWORK.partition("/")[2]
    return [HOOK, TAP_LINK, GUEST_GATEWAY, GUEST_ADDRESS, prefix, str(QEMU_ID), str(READINESS_PORT)]
