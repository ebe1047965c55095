"""What must be known of a host before anything is changed, and what of it is in the way. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from libvf_workstation.flags import SERVICE_RANGE
from libvf_workstation.layout import LINK, LOOPBACK_PORTS

# containerd's store, etcd and what guests write at the least, beside what is unpacked
SPARE_BYTES = 2 << 30
MEMORY_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Facts:
    """A host. `busy` are ports of the loopback that somebody listens on, `routes` destinations by their link, `free`
    the bytes left below a path, `installed` whether a journal of ours is there."""

    root: bool
    machine: str
    systemd: bool
    cgroup2: bool
    overlay: bool
    memory: int
    node: str
    resolver: str = ""
    installed: bool = False
    kubelet: bool = False
    busy: frozenset[int] = frozenset()
    routes: Mapping[str, str] = field(default_factory=dict)
    free: Mapping[str, int] = field(default_factory=dict)


def in_the_way(facts: Facts, pods: str, needed: int) -> list[str]:
    """All that keeps this host from being a workstation, each with its cure; `needed` bytes will be unpacked."""
    wrong = [
        (not facts.root, "this needs root: run it by sudo"),
        (facts.machine != "x86_64", f"the programs are for x86_64 and this is {facts.machine}"),
        (not facts.systemd, "systemd is not the first process here: the node's programs are its units"),
        (not facts.cgroup2, "control groups are of version 1: add systemd.unified_cgroup_hierarchy=1 to the kernel"),
        (not facts.overlay, "the kernel knows no overlay file system: modprobe overlay, or install the full kernel"),
        (
            facts.memory < MEMORY_BYTES,
            f"there is {facts.memory >> 20} MiB of memory: the node alone needs {MEMORY_BYTES >> 20}",
        ),
    ]
    found = [message for is_wrong, message in wrong if is_wrong]
    if not facts.installed:
        found += _of_others(facts)
        found += _space(facts.free, needed)
    return found + _routes(facts.routes, pods)


def _of_others(facts: Facts) -> list[str]:
    found = [
        f"port {port} of 127.0.0.1 is taken: stop what listens there (ss -ltnp 'sport = {port}')"
        for port in LOOPBACK_PORTS
        if port in facts.busy
    ]
    if facts.kubelet:
        found.append(
            "/var/lib/kubelet is there: this host is or was a node. Start its cluster and name its kubeconfig by "
            "--kubeconfig, or end it (kubeadm reset, k3s-uninstall.sh)"
        )
    return found


def _space(free: Mapping[str, int], needed: int) -> list[str]:
    wanted = needed + SPARE_BYTES
    return [
        f"{place} has {left >> 20} MiB left and {wanted >> 20} are needed: make room there"
        for place, left in free.items()
        if left < wanted
    ]


def _routes(routes: Mapping[str, str], pods: str) -> list[str]:
    wanted: Sequence[tuple[str, str]] = ((pods, "another one by --pods"), (SERVICE_RANGE, "another network there"))
    return [
        f"{destination} is reached by {link} and overlaps {network}, which the node needs: choose {cure}"
        for network, cure in wanted
        for destination, link in routes.items()
        if link != LINK and ipaddress.ip_network(network).overlaps(ipaddress.ip_network(destination, strict=False))
    ]
