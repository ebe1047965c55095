"""Where a workstation keeps what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.flags import Plane

LINK = "libvf0"
TABLE = "libvf_workstation"
API_PORT = 6443
# not etcd's usual ones: a host may have an etcd of its own
ETCD_PORT = 12379
# on the loopback: etcd and its peer port, kubelet's health, the agent's
LOOPBACK_PORTS = (ETCD_PORT, ETCD_PORT + 1, 10248, 9469)


@dataclass(frozen=True, slots=True)
class Layout:
    """All places, below a root folder that is / but in tests; `pods` is the network of Pods, a /24."""

    root: Path = Path("/")
    pods: str = "10.244.0.0/24"

    @property
    def programs(self) -> Path:
        """Programs and manifests: what is the same for every host."""
        return self.root / "opt/libvf-workstation"

    @property
    def bin(self) -> Path:
        """Where programs are, before all others on PATH."""
        return self.programs / "bin"

    @property
    def state(self) -> Path:
        """What is this host's alone; root's alone too."""
        return self.root / "var/lib/libvf-workstation"

    @property
    def images(self) -> Path:
        """containerd's folder."""
        return self.state / "containerd"

    @property
    def volumes(self) -> Path:
        """Where PersistentVolumes are."""
        return self.state / "volumes"

    @property
    def run(self) -> Path:
        """Sockets and what else is gone with the power."""
        return self.root / "run/libvf-workstation"

    @property
    def kubelet(self) -> Path:
        """Where the agent looks for kubelet, so not a place of our own."""
        return self.root / "var/lib/kubelet"

    @property
    def units(self) -> Path:
        """systemd's units of this host."""
        return self.root / "etc/systemd/system"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.state / "admin.kubeconfig"

    @property
    def agent(self) -> Path:
        """The host agent's folder; `preparation` in it is `libvf_agent prepare`'s, and not ours."""
        return self.root / "var/lib/libvf"

    @property
    def address(self) -> str:
        """The host's address on the link: the API server's, the node's and the Pods' gateway."""
        return f"{self.pods.rpartition('.')[0]}.1"

    @property
    def plane(self) -> Plane:
        """The control plane."""
        return Plane(self.state, self.address, API_PORT, ETCD_PORT)
