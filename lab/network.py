"""The lab's own network namespace: a bridge, a tap for each node, routes to each node's Pods.

Nothing in it can reach the outside, nor be reached but through the forwarder on the host's loopback.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.flags import SERVICE_ADDRESS

from lab.shell import run

LAB = os.environ.get("LIBVF_LAB", "")  # names a second lab on this machine, beside the one without a name
NAMESPACE = f"libvf-lab-{LAB}" if LAB else "libvf-lab"
BRIDGE = "lab0"
GATEWAY = "10.77.0.1"  # the namespace's own address, and the API server's
INSIDE = ("ip", "netns", "exec", NAMESPACE)


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Addresses of the node called n<number>."""

    name: str

    @property
    def number(self) -> int:
        """1 for n1."""
        return int(self.name.removeprefix("n"))

    @property
    def ip(self) -> str:
        """The node's address on the bridge."""
        return f"10.77.0.{10 + self.number}"

    @property
    def mac(self) -> str:
        """A locally administered address of its own."""
        return f"52:54:00:77:00:{self.number:02x}"

    @property
    def pods(self) -> str:
        """The subnet of its Pods."""
        return f"10.244.{self.number}.0/24"


def up(nodes: list[str]) -> None:
    """Make the namespace with its bridge, taps and routes; what is there already stays."""
    if not Path(f"/run/netns/{NAMESPACE}").exists():
        run(["ip", "netns", "add", NAMESPACE])
    _ip("link", "set", "lo", "up")
    _ip("address", "replace", f"{SERVICE_ADDRESS}/32", "dev", "lo")
    run([*INSIDE, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    if not _exists(BRIDGE):
        _ip("link", "add", BRIDGE, "type", "bridge", "forward_delay", "0")
        _ip("address", "add", f"{GATEWAY}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
    for name in nodes:
        _tap(NodeAddress(name))


def down() -> None:
    """Remove the namespace and all that is in it."""
    if Path(f"/run/netns/{NAMESPACE}").exists():
        run(["ip", "netns", "delete", NAMESPACE])


def _tap(node: NodeAddress) -> None:
    if not _exists(node.name):
        _ip("tuntap", "add", node.name, "mode", "tap")
        _ip("link", "set", node.name, "master", BRIDGE, "up")
    _ip("route", "replace", node.pods, "via", node.ip)


def _exists(link: str) -> bool:
    # iproute2 has no quiet test for a link: every link of the namespace has a folder here
    return link in run([*INSIDE, "ls", "/sys/class/net"]).split()


def _ip(*arguments: str) -> None:
    run(["ip", "-n", NAMESPACE, *arguments])
