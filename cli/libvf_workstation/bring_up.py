"""From files to a node that is Ready with libvf on it; every part can be run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libvf_workstation import cards, kubeconfig, take_down
from libvf_workstation.certificates import Certificates
from libvf_workstation.errors import CommandFailed, Refused
from libvf_workstation.executor import Executor, remove
from libvf_workstation.files import write_whole
from libvf_workstation.host import Host
from libvf_workstation.layout import Layout
from libvf_workstation.payload import Bundle
from libvf_workstation.progress import say, step, wait_for
from libvf_workstation.steps import Step, Unpacked
from libvf_workstation.units import APISERVER, SERVICES, TARGET

NAMESPACE = "libvf-system"
WORKLOADS = ("deployments", "daemonsets")
API_SECONDS = 600.0
NODE_SECONDS = 600.0
ROLLOUT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class BringUp:
    """One run of it."""

    layout: Layout
    host: Host
    executor: Executor
    bundle: Bundle
    node: str

    def files(self, steps: Iterable[Step]) -> bool:
        """Makes all files; whether any of them changed. Nothing of the old images may be in use when new ones come."""
        changed = False
        for one in steps:
            if isinstance(one, Unpacked) and one.path == self.layout.images and self._other_images(one):
                say("the bundle has other images: what runs is stopped")
                take_down.stop(self.layout, self.host)
                remove(self.layout.run)  # its containers' state, and the addresses that they had
            changed |= self.executor.apply(one)
        self._runs()
        return changed

    def credentials(self) -> None:
        """Certificates, tokens and kubeconfig files, each made once."""
        plane = self.layout.plane
        if not plane.pki.folder.exists():
            with step("making certificates"):
                partial = Certificates(self.layout.state / "pki.partial")
                remove(partial.folder)
                partial.folder.mkdir(mode=0o700)
                partial.make(self.host.run, plane.server_names(), "libvf-workstation")
                partial.folder.rename(plane.pki.folder)
        tokens = kubeconfig.Tokens(plane.token_file).load(kubeconfig.users(self.node)).by_user
        for name, user in {
            self.layout.kubeconfig.name: "admin",
            "scheduler.kubeconfig": "system:kube-scheduler",
            "controller-manager.kubeconfig": "system:kube-controller-manager",
            "kubelet.kubeconfig": f"system:node:{self.node}",
        }.items():
            text = kubeconfig.document(plane.server, plane.pki.cert("ca"), tokens[user], "workstation")
            write_whole(self.layout.state / name, text, 0o600)

    def start(self, changed: bool) -> None:
        """Starts the units, anew where a file of theirs is another one; they start with the host from now on."""
        with step("starting the node's programs"):
            self.host.run(["systemctl", "daemon-reload"])
            self.host.run(["systemctl", "enable", "--quiet", TARGET])
            if changed:
                self.host.run(["systemctl", "stop", *reversed(SERVICES)])
            self.host.run(["systemctl", "start", "--no-block", APISERVER])
        log = "look at journalctl -u 'libvf-*'"
        # its first start makes all of RBAC's rules, and whoever asks before that only costs it time
        wait_for("the API server", self.host.api.ready, API_SECONDS, log)
        self.host.run(["systemctl", "start", "--no-block", TARGET])
        wait_for("the node", self._ready, NODE_SECONDS, log)

    def apply(self) -> None:
        """Our manifests, and a wait until all that they start runs."""
        overlay = self.layout.programs / "manifests" / "overlays" / "workstation"
        with step(f"kubectl apply --server-side -k {overlay}"):
            self.host.apply("--server-side", "--force-conflicts", "-k", str(overlay))
        wait_for("libvf's own programs", self._rolled_out, ROLLOUT_SECONDS, f"kubectl -n {NAMESPACE} describe pods")

    def give(self, policies: Sequence[dict[str, object]]) -> None:
        """The policies for the cards that were named."""
        if policies:
            self.host.apply("-f", "-", stdin=cards.manifest(policies))

    def _runs(self) -> None:
        """Whether what came from another Debian runs on this host; what is linked to its libraries is looked at."""
        try:
            self.host.run([self.layout.bin / "runc", "--version"])
        except CommandFailed as error:
            debian = self.bundle.about()["debian"]
            raise Refused(f"the bundle's runc is Debian {debian}'s and does not run here: {error}") from error

    def _other_images(self, unpacked: Unpacked) -> bool:
        known = self.executor.journal.stamps.get(str(unpacked.path))
        return known is not None and known != self.bundle.stamp(unpacked.member)

    def _ready(self) -> bool:
        node = self.host.api.get(f"/api/v1/nodes/{self.node}")
        return any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))

    def _rolled_out(self) -> bool:
        found = [self.host.api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/{kind}") for kind in WORKLOADS]
        return all(one.get("items") and all(map(rolled_out, one["items"])) for one in found)


def rolled_out(workload: Mapping[str, Any]) -> bool:
    """Whether all Pods of a Deployment or DaemonSet are of its latest generation, and ready."""
    status, spec = workload.get("status", {}), workload["spec"]
    if status.get("observedGeneration", 0) < workload["metadata"]["generation"]:
        return False
    if "replicas" not in spec:
        wanted = status.get("desiredNumberScheduled", 0)
        done = status.get("updatedNumberScheduled", 0) == status.get("numberAvailable", 0) == wanted
        return bool(wanted and done)
    wanted = spec["replicas"]
    return bool(status.get("updatedReplicas", 0) == status.get("availableReplicas", 0) == wanted)
