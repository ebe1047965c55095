"""The node's network: one bridge for its Pods, and nothing that the outside can reach. Pure.

The bridge has the host's own addresses too: the API server and kubelet listen there alone, whatever the host's network
is and becomes. The kernel takes packets for any of its addresses from any link, so a table drops those of others.
Pods are masqueraded here and not by the bridge plugin, as Debian's needs iptables for it.
"""

from __future__ import annotations

import json

from libvf_workstation.flags import SERVICE_ADDRESS, SERVICE_RANGE
from libvf_workstation.layout import API_PORT, LINK, TABLE, Layout

FORWARD = "/proc/sys/net/ipv4/ip_forward"


def rules(layout: Layout) -> str:
    """nftables' table; the service address leads to the API server without a kube-proxy."""
    service = f"ip daddr {SERVICE_ADDRESS} tcp dport 443 dnat ip to {layout.address}:{API_PORT}"
    return f"""\
table inet {TABLE}
delete table inet {TABLE}
table inet {TABLE} {{
    chain guard {{
        type filter hook input priority filter - 10; policy accept;
        iifname {{ "lo", "{LINK}" }} accept
        ip daddr {{ {layout.pods}, {SERVICE_RANGE} }} drop
    }}
    chain forward {{
        type filter hook forward priority filter - 10; policy accept;
        iifname "{LINK}" accept
        oifname "{LINK}" ct state established,related accept
        oifname "{LINK}" drop
    }}
    chain prerouting {{
        type nat hook prerouting priority dstnat; policy accept;
        {service}
    }}
    chain output {{
        type nat hook output priority -100; policy accept;
        {service}
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {layout.pods} oifname != "{LINK}" masquerade
    }}
}}
"""


def up(layout: Layout) -> str:
    """The script that makes the link; again it changes nothing."""
    return f"""\
set -e
ip link show {LINK} > /dev/null 2>&1 || ip link add {LINK} type bridge forward_delay 0
ip address replace {layout.address}/24 dev {LINK}
ip address replace {SERVICE_ADDRESS}/32 dev {LINK}
ip link set {LINK} up
nft -f {layout.state / "network.nft"}
echo 1 > {FORWARD}
"""


def down() -> str:
    """The script that takes it away; what was forwarded before is the journal's to put back."""
    return f"nft delete table inet {TABLE}\nip link delete {LINK}\ntrue\n"


def cni(layout: Layout) -> str:
    """The CNI configuration of the Pods."""
    bridge = {
        "type": "bridge",
        "bridge": LINK,
        "isGateway": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "dataDir": str(layout.run / "addresses"),
            "ranges": [[{"subnet": layout.pods, "gateway": layout.address}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}, indent=2) + "\n"
