"""The control plane: etcd, kube-apiserver, kube-controller-manager and kube-scheduler as processes.

Integration tests run it on the host's loopback; the lab runs it inside its own network namespace, where
the API server also answers on the address of the `kubernetes` Service, so that no kube-proxy is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from libvf_workstation import flags
from libvf_workstation.certificates import Certificates
from libvf_workstation.flags import Plane
from libvf_workstation.kubeconfig import Tokens, document, private

from lab.errors import CommandFailed
from lab.kubeconfig import USERS
from lab.progress import step
from lab.shell import Daemon, run, wait_until

_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:libvf-system"]
- level: None
"""

# with ten thousand machines two fifths of its CPU were the collection of its garbage, by pprof; memory is cheaper here
_COLLECTED = {"GOGC": "300"}


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where it lives and on what address; `inside` is an argv prefix, such as `ip netns exec NAME`.

    `controllers` is what kube-controller-manager runs: without `node-lifecycle-controller` a node that is only an
    object stays as it says it is. Without `schedules` there is no scheduler: somebody else places Pods."""

    directory: Path
    binaries: Path
    address: str = "127.0.0.1"
    port: int = 16443
    etcd_port: int = 12379
    inside: Sequence[str] = ()
    controllers: str = "*"
    schedules: bool = True

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._plane.server

    @property
    def audit_log(self) -> Path:
        """What the service accounts asked for, one JSON event a line: tests hold the RBAC rules to it."""
        return self.directory / "audit.log"

    @property
    def certificates(self) -> Certificates:
        """The certificate authority and its certificates."""
        return self._plane.pki

    @property
    def tokens(self) -> Tokens:
        """Every user's token."""
        return Tokens(self._plane.token_file).load(USERS)

    def start(self) -> None:
        """Bring all four up and wait until the API server says it is ready; again is quick."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificates.make(run, self._plane.server_names(), "libvf-lab")
        self._write_kubeconfigs()
        (self.directory / "audit-policy.yaml").write_text(_AUDIT_POLICY)
        with step("starting the control plane"):
            self._daemon("etcd").start([*self.inside, self.binaries / "etcd", *self._etcd()])
            apiserver = self._daemon("kube-apiserver")
            apiserver.start([*self.inside, self.binaries / "kube-apiserver", *self._apiserver()], _COLLECTED)
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
                private(path, document(self.server, authority, tokens[user]))

    @property
    def _plane(self) -> Plane:
        return Plane(self.directory, self.address, self.port, self.etcd_port, sealed=False)

    def _etcd(self) -> list[str]:
        return [*flags.etcd(self._plane), "--unsafe-no-fsync"]  # a lab may lose its last second at a power cut

    def _apiserver(self) -> list[str]:
        return [
            *flags.apiserver(self._plane, bind="0.0.0.0" if self.inside else None),
            *flags.aggregation(self._plane, dials_pods=bool(self.inside)),
            f"--audit-policy-file={self.directory / 'audit-policy.yaml'}",
            f"--audit-log-path={self.audit_log}",
            "--audit-log-maxsize=64",
            "--audit-log-maxbackup=1",
        ]

    def _controllers(self) -> dict[str, list[str]]:
        manager = flags.controller_manager(self._plane, self.controllers)
        scheduler = {"kube-scheduler": flags.scheduler(self._plane)} if self.schedules else {}
        return {"kube-controller-manager": [*manager, "--node-monitor-grace-period=20s"], **scheduler}
