"""The command lines of a single control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler. Pure.

What the lab proves a workstation runs: both take their flags from here, and add what is theirs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.certificates import Certificates

SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"  # the first of the range: the `kubernetes` Service


@dataclass(frozen=True, slots=True)
class Plane:
    """Where a control plane keeps its files, and on which address the API server is.

    `sealed`: etcd speaks TLS to the API server alone. Its loopback is open to every user of a host otherwise.
    """

    directory: Path
    address: str
    port: int
    etcd_port: int
    sealed: bool = True

    @property
    def pki(self) -> Certificates:
        """The certificate authority and its certificates."""
        return Certificates(self.directory / "pki")

    @property
    def token_file(self) -> Path:
        """Every user's token."""
        return self.directory / "tokens.csv"

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.address}:{self.port}"

    def server_names(self) -> list[str]:
        """What the API server's certificate must say."""
        names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        addresses = {"127.0.0.1", self.address, SERVICE_ADDRESS}
        return [f"DNS:{name}" for name in names] + [f"IP:{address}" for address in sorted(addresses)]


def etcd(plane: Plane) -> list[str]:
    """A member that is alone; its port and the next one, on the loopback."""
    scheme = "https" if plane.sealed else "http"
    client, peer = (f"{scheme}://127.0.0.1:{port}" for port in (plane.etcd_port, plane.etcd_port + 1))
    return [
        f"--data-dir={plane.directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--logger=zap",
        "--log-level=warn",
        *(_etcd_tls(plane) if plane.sealed else ()),
    ]


def _etcd_tls(plane: Plane) -> list[str]:
    cert, key, authority = plane.pki.cert("etcd"), plane.pki.key("etcd"), plane.pki.cert("ca")
    return [
        word
        for prefix in ("", "peer-")
        for word in (
            f"--{prefix}cert-file={cert}",
            f"--{prefix}key-file={key}",
            f"--{prefix}trusted-ca-file={authority}",
            f"--{prefix}client-cert-auth",
        )
    ]


def apiserver(plane: Plane, bind: str | None = None) -> list[str]:
    """On its address, or on `bind` where that is another one."""
    pki = plane.pki
    return [
        *_etcd_client(plane),
        f"--bind-address={bind or plane.address}",
        f"--advertise-address={plane.address}",
        f"--secure-port={plane.port}",
        *(["--endpoint-reconciler-type=none"] if plane.address.startswith("127.") else []),
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--tls-cert-file={pki.cert('apiserver')}",
        f"--tls-private-key-file={pki.key('apiserver')}",
        f"--client-ca-file={pki.cert('ca')}",
        f"--token-auth-file={plane.token_file}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki.key('service-account')}",
        f"--service-account-signing-key-file={pki.key('service-account')}",
        "--authorization-mode=Node,RBAC",
        # the second holds owner references to the right to set a finalizer, as hardened clusters do
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
        "--allow-privileged",
        f"--kubelet-client-certificate={pki.cert('kubelet-client')}",
        f"--kubelet-client-key={pki.key('kubelet-client')}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def aggregation(plane: Plane, dials_pods: bool) -> list[str]:
    """How the API server proves itself to APIs behind it; it dials their Pods where nothing serves Services."""
    pki = plane.pki
    return [
        f"--requestheader-client-ca-file={pki.cert('front-proxy-ca')}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-uid-headers=X-Remote-Uid",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki.cert('front-proxy-client')}",
        f"--proxy-client-key-file={pki.key('front-proxy-client')}",
        f"--enable-aggregator-routing={str(dials_pods).lower()}",
    ]


def _etcd_client(plane: Plane) -> list[str]:
    if not plane.sealed:
        return [f"--etcd-servers=http://127.0.0.1:{plane.etcd_port}"]
    return [
        f"--etcd-servers=https://127.0.0.1:{plane.etcd_port}",
        f"--etcd-cafile={plane.pki.cert('ca')}",
        f"--etcd-certfile={plane.pki.cert('etcd')}",
        f"--etcd-keyfile={plane.pki.key('etcd')}",
    ]


def controller_manager(plane: Plane, controllers: str = "*") -> list[str]:
    """`controllers` is which of them run."""
    return [
        f"--kubeconfig={plane.directory / 'controller-manager.kubeconfig'}",
        f"--service-account-private-key-file={plane.pki.key('service-account')}",
        f"--root-ca-file={plane.pki.cert('ca')}",
        "--use-service-account-credentials",
        "--leader-elect=false",
        "--secure-port=0",
        f"--controllers={controllers}",
    ]


def scheduler(plane: Plane) -> list[str]:
    """Alone, so without an election."""
    kubeconfig = plane.directory / "scheduler.kubeconfig"
    return [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]
