"""Looks at the host: nothing here decides anything."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
from pathlib import Path

from libvf_workstation.facts import Facts
from libvf_workstation.journal import Journal
from libvf_workstation.layout import LOOPBACK_PORTS, Layout

# systemd-resolved's own file is a stub on the loopback, which is another one in a Pod
_RESOLVERS = ("run/systemd/resolve/resolv.conf", "etc/resolv.conf")


def look(layout: Layout, journal: Journal) -> Facts:
    """All that must be known before anything is changed."""
    root = layout.root
    return Facts(
        root=os.geteuid() == 0,
        machine=platform.machine(),
        systemd=(root / "run/systemd/system").is_dir(),
        cgroup2=(root / "sys/fs/cgroup/cgroup.controllers").exists(),
        overlay=_overlay(root),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        node=_node_name(socket.gethostname()),
        resolver=_resolver(root),
        installed=not journal.empty,
        kubelet=layout.kubelet.exists(),
        busy=frozenset(port for port in LOOPBACK_PORTS if _busy(port)),
        routes=_routes(root),
        free={str(place): shutil.disk_usage(_there(place)).free for place in (layout.state,)},
    )


def _node_name(hostname: str) -> str:
    """A name as Kubernetes wants it (RFC 1123)."""
    return re.sub(r"[^a-z0-9.-]+", "-", hostname.lower()).strip("-.") or "workstation"


def _overlay(root: Path) -> bool:
    known = (root / "proc/filesystems").read_text()
    if re.search(r"\toverlay$", known, re.MULTILINE):
        return True
    try:
        found = subprocess.run(["/sbin/modprobe", "--dry-run", "overlay"], capture_output=True)
    except OSError:
        return False
    return found.returncode == 0


def _resolver(root: Path) -> str:
    return next((f"/{place}" for place in _RESOLVERS if (root / place).is_file()), "")


def _busy(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _there(place: Path) -> Path:
    return place if place.exists() else _there(place.parent)


def _routes(root: Path) -> dict[str, str]:
    """IPv4 destinations but the default, by /proc/net/route: hexadecimal, in the machine's own byte order."""
    found = {}
    for line in (root / "proc/net/route").read_text().splitlines()[1:]:
        link, destination, *_, mask, _mtu, _window, _irtt = line.split()
        bits = int(mask, 16).bit_count()
        if bits:
            address = socket.inet_ntoa(int(destination, 16).to_bytes(4, "little"))
            found[f"{address}/{bits}"] = link
    return found
