"""What is made on a host, in order. Pure."""

from __future__ import annotations

from pathlib import Path

from libvf_workstation import network, nodefiles, units
from libvf_workstation.facts import Facts
from libvf_workstation.layout import Layout
from libvf_workstation.payload import IMAGES, PROGRAMS
from libvf_workstation.steps import Expected, File, Folder, Link, Setting, Step, Unpacked

# kubelet's own (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables), and the bridge's
_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/ipv4/ip_forward",
)
# what kubelet, containerd, CNI and the host agent make outside of our own folders
_EXPECTED = ("var/log/pods", "var/log/containers", "var/lib/cni", "run/containerd", "run/cdi", "run/libvf", "run/netns")


def steps(layout: Layout, facts: Facts, has_kubectl: bool) -> list[Step]:
    """All files and folders; `has_kubectl` says whether the host has one of its own."""
    root = layout.root
    return [
        Folder(layout.state, 0o700),
        *(Setting(root / "proc/sys" / name) for name in _SETTINGS),
        Expected(layout.kubelet, alone=True),
        *(Expected(place) for place in (layout.run, *(root / name for name in _EXPECTED))),
        Unpacked(layout.programs, PROGRAMS),
        Unpacked(layout.images, IMAGES),
        Folder(layout.state / "cni"),
        Folder(layout.volumes, 0o711),
        *(File(path, text) for path, text in _files(layout, facts).items()),
        *(File(layout.units / name, text) for name, text in units.texts(layout, facts.node).items()),
        *([] if has_kubectl else [Link(root / "usr/local/bin/kubectl", layout.bin / "kubectl")]),
    ]


def _files(layout: Layout, facts: Facts) -> dict[Path, str]:
    state = layout.state
    return {
        state / "network.nft": network.rules(layout),
        state / "network-up": network.up(layout),
        state / "network-down": network.down(),
        state / "cni" / "10-pods.conflist": network.cni(layout),
        state / "containerd.toml": nodefiles.containerd(layout),
        state / "kubelet.json": nodefiles.kubelet(layout, facts.resolver),
    }
