"""The control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes.

Integration tests run it on the host's loopback; the lab runs it inside its own network namespace, where
the API server also answers on the address of the `kubernetes` Service, so that no kube-proxy is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.certificates import Certificates
from lab.errors import CommandFailed
from lab.kubeconfig import Tokens, document
from lab.progress import step
from lab.shell import Daemon, run, wait_until

SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"  # the first of the range: the `kubernetes` Service


_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:libvf-system"]
- level: None
"""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where it lives and on what address; `inside` is an argv prefix, such as `ip netns exec NAME`.

    `controllers` is what kube-controller-manager runs: without `node-lifecycle-controller` a node that is only an
    object stays as it says it is."""

    directory: Path
    binaries: Path
    address: str = "127.0.0.1"
    port: int = 16443
    etcd_port: int = 12379
    inside: Sequence[str] = ()
    controllers: str = "*"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.address}:{self.port}"

    @property
    def audit_log(self) -> Path:
        """What the service accounts asked for, one JSON event a line: tests hold the RBAC rules to it."""
        return self.directory / "audit.log"

    @property
    def certificates(self) -> Certificates:
        """The certificate authority and its certificates."""
        return Certificates(self.directory / "pki")

    @property
    def tokens(self) -> Tokens:
        """Every user's token."""
        return Tokens(self.directory / "tokens.csv").load()

    def start(self) -> None:
        """Bring all four up and wait until the API server says it is ready; again is quick."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificates.make(self._server_names())
        self._write_kubeconfigs()
        (self.directory / "audit-policy.yaml").write_text(_AUDIT_POLICY)
        with step("starting the control plane"):
            self._daemon("etcd").start([*self.inside, self.binaries / "etcd", *self._etcd()])
            apiserver = self._daemon("kube-apiserver")
            apiserver.start([*self.inside, self.binaries / "kube-apiserver", *self._apiserver()])
            wait_until("the API server", self.ready, apiserver, 120)
            for name, arguments in self._controllers().items():
                self._daemon(name).start([*self.inside, self.binaries / name, *arguments])

    def stop(self) -> None:
        """End all four; the API server closes its watches first and may take some seconds."""
        for name in ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"):
            self._daemon(name).stop(grace=5)

    def ready(self) -> bool:
        """Whether /readyz answers, asked with the administrator's own credentials from inside."""
        argv = [*self.inside, self.binaries / "kubectl", "--kubeconfig", self.directory / "inside.kubeconfig"]
        try:
            return run([*argv, "get", "--raw", "/readyz"]).strip() == "ok"
        except CommandFailed:
            return False

    def _daemon(self, name: str) -> Daemon:
        return Daemon(self.directory, name)

    def _server_names(self) -> list[str]:
        names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        addresses = {"127.0.0.1", self.address, SERVICE_ADDRESS}
        return [f"DNS:{name}" for name in names] + [f"IP:{address}" for address in sorted(addresses)]

    def _write_kubeconfigs(self) -> None:
        users = {
            "kubeconfig": "admin",
            "inside.kubeconfig": "admin",
            "scheduler.kubeconfig": "system:kube-scheduler",
            "controller-manager.kubeconfig": "system:kube-controller-manager",
        }
        authority, tokens = self.certificates.cert("ca"), self.tokens.by_user
        for name, user in users.items():
            path = self.directory / name
            if not path.exists():
                path.write_text(document(self.server, authority, tokens[user]))
                path.chmod(0o600)

    def _etcd(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.etcd_port, self.etcd_port + 1))
        return [
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # a lab may lose its last second at a power cut
            "--logger=zap",
            "--log-level=warn",
        ]

    def _apiserver(self) -> list[str]:
        pki = self.certificates
        return [
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            f"--bind-address={self.address if not self.inside else '0.0.0.0'}",
            f"--advertise-address={self.address}",
            f"--secure-port={self.port}",
            *(["--endpoint-reconciler-type=none"] if self.address.startswith("127.") else []),
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            f"--tls-cert-file={pki.cert('apiserver')}",
            f"--tls-private-key-file={pki.key('apiserver')}",
            f"--client-ca-file={pki.cert('ca')}",
            f"--token-auth-file={self.directory / 'tokens.csv'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.key('service-account')}",
            f"--service-account-signing-key-file={pki.key('service-account')}",
            "--authorization-mode=Node,RBAC",
            # the second holds owner references to the right to set a finalizer, as hardened clusters do
            "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
            f"--audit-policy-file={self.directory / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-maxsize=64",
            "--audit-log-maxbackup=1",
            "--allow-privileged",
            f"--kubelet-client-certificate={pki.cert('kubelet-client')}",
            f"--kubelet-client-key={pki.key('kubelet-client')}",
            "--kubelet-preferred-address-types=InternalIP",
            *self._aggregation(),
        ]

    def _aggregation(self) -> list[str]:
        """How it proves itself to APIs behind it; inside the lab it dials their Pods, as nothing serves Services."""
        pki = self.certificates
        return [
            f"--requestheader-client-ca-file={pki.cert('front-proxy-ca')}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-uid-headers=X-Remote-Uid",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki.cert('front-proxy-client')}",
            f"--proxy-client-key-file={pki.key('front-proxy-client')}",
            f"--enable-aggregator-routing={str(bool(self.inside)).lower()}",
        ]

    def _controllers(self) -> dict[str, list[str]]:
        pki = self.certificates
        manager = self.directory / "controller-manager.kubeconfig"
        scheduler = self.directory / "scheduler.kubeconfig"
        return {
            "kube-controller-manager": [
                f"--kubeconfig={manager}",
                f"--service-account-private-key-file={pki.key('service-account')}",
                f"--root-ca-file={pki.cert('ca')}",
                "--use-service-account-credentials",
                "--leader-elect=false",
                "--secure-port=0",
                f"--controllers={self.controllers}",
                "--node-monitor-grace-period=20s",
            ],
            "kube-scheduler": [f"--kubeconfig={scheduler}", "--leader-elect=false", "--secure-port=0"],
        }
