"""The address of a guest on a tap: dnsmasq beside QEMU, which gives it the one that the Pod's network leads to.

dnsmasq needs no capability: the Pod may listen on port 67; answers are broadcast, as only who may change the kernel's
ARP table can send to a guest that has no address yet; and no address is pinged before it is given, which would take a
raw socket. It tells the guest the Pod's name servers, which the guest asks by itself.
"""

import ipaddress

from libvf_api import names

from libvf_launcher.companion import Companion
from libvf_launcher.devices import Tap
from libvf_launcher.paths import Paths

_NETWORK = ipaddress.ip_network(names.GUEST_NETWORK)


def companion(tap: Tap, paths: Paths) -> Companion:
    """The program; it is up when it has written its process id."""
    pid = paths.run / "dhcp.pid"
    argv = (
        *("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--port=0"),
        *(f"--interface={tap.name}", "--bind-interfaces", "--dhcp-authoritative"),
        *("--dhcp-broadcast", "--no-ping"),
        f"--dhcp-range={names.GUEST_ADDRESS},{names.GUEST_ADDRESS},{_NETWORK.netmask},infinite",
        f"--dhcp-option=option:router,{names.GUEST_GATEWAY}",
        f"--dhcp-option=option:mtu,{tap.mtu}",
        *([f"--dhcp-option=option:dns-server,{','.join(tap.servers)}"] if tap.servers else []),
        *([f"--dhcp-option=option:domain-search,{','.join(tap.search)}"] if tap.search else []),
        *(f"--pid-file={pid}", f"--dhcp-leasefile={paths.run / 'dhcp.leases'}"),
    )
    return Companion("dnsmasq", argv, pid)
