"""The test bed as a whole: made, brought up, taken down, reset."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from lab import emulator, images, network, packages
from lab.api import Api
from lab.binaries import binaries
from lab.controlplane import ControlPlane
from lab.errors import LabError
from lab.guest.build import guest_disk
from lab.guest.signed import signed_disk
from lab.imagedisk import image_disk
from lab.installer.build import installer_iso
from lab.kubeconfig import NODE_NAMES
from lab.node import Node
from lab.noderoot import NodeBoot, debian_root, node_boot
from lab.progress import say, step
from lab.shape import NUMA, PLAIN, Shape
from lab.shell import Daemon, run, wait_until

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK_PORT = int(os.environ.get("LIBVF_LAB_PORT", "16443"))
NODE_READY_SECONDS = 180
NUMA_NODE = "n3"
NUMA_READY_SECONDS = 420  # one thread emulates all of its CPUs


@dataclass(frozen=True, slots=True)
class Ready:
    """What the lab is made from: everything here comes out of the cache."""

    binaries: Path
    boot: NodeBoot
    images: Path


@dataclass(frozen=True, slots=True)
class Testbed:
    """The lab whose state is in `directory`."""

    directory: Path = REPOSITORY / "out" / (f"lab-{network.LAB}" if network.LAB else "lab")

    @property
    def kubeconfig(self) -> Path:
        """How people and tests on this machine reach the API server."""
        return self.directory / "kubeconfig"

    @property
    def api(self) -> Api:
        """Its API server, read without kubectl."""
        return Api(self.kubeconfig)

    @property
    def plane(self) -> ControlPlane:
        """Its control plane, as seen from inside the network namespace."""
        return ControlPlane(
            self.directory / "controlplane", binaries(), network.GATEWAY, 443, 2379, inside=network.INSIDE
        )

    def nodes(self) -> list[Node]:
        """Every node that was ever started here and not reset."""
        return [self.node(name) for name in NODE_NAMES if (self.directory / name).exists()]

    def node(self, name: str) -> Node:
        """The node of that name; raises LabError for a name that the lab does not give."""
        if name not in NODE_NAMES:
            raise LabError(f"{name} is no node of the lab: they are called {NODE_NAMES[0]} to {NODE_NAMES[-1]}")
        return Node(name, self.directory)

    def up(self, nodes: int) -> None:
        """Make what is missing, start what does not run, and wait until every node is Ready."""
        made = prepare()
        names = list(NODE_NAMES[:nodes])
        self.directory.mkdir(parents=True, exist_ok=True)
        self._ssh_key()
        dropped = self._drop_stale_disks(made)
        network.up(names)
        self.plane.start()
        self._forward()
        for name in dropped:  # a new disk is a new machine: what the old one said of itself no longer holds
            self.kubectl("delete", "node", name, "--ignore-not-found")
        for name in names:
            self.start(name, made)
        self.wait_ready(names)

    def up_numa(self) -> Node:
        """A node with two NUMA nodes beside those that are up; `remove` ends it."""
        network.up([NUMA_NODE])
        self.start(NUMA_NODE, shape=NUMA)
        self.wait_ready([NUMA_NODE], NUMA_READY_SECONDS)
        return self.node(NUMA_NODE)

    def start(self, name: str, made: Ready | None = None, shape: Shape = PLAIN) -> None:
        """Power a node on."""
        made = made or prepare()
        self.node(name).start(made.boot, made.images, self.plane, shape)

    def remove(self, name: str) -> None:
        """Power a node off for good: its disks and its Node object go too."""
        node = self.node(name)
        node.kill()
        shutil.rmtree(node.folder, ignore_errors=True)
        self.kubectl("delete", "node", name, "--ignore-not-found")

    def wait_ready(self, names: list[str], seconds: float = NODE_READY_SECONDS) -> None:
        """Wait until the API server calls every node Ready."""
        with step(f"waiting for {', '.join(names)} to be Ready"):
            for name in names:
                ready = partial(self._node_ready, name)
                wait_until(f"node {name}", ready, self.node(name).daemon, seconds)

    def down(self) -> None:
        """End everything; disks and the cluster's state stay for the next `up`."""
        for node in self.nodes():
            if node.daemon.running():
                say(f"cutting the power of {node.name}")
            node.kill()
        Daemon(self.directory, "forward").stop()
        self.plane.stop()
        network.down()

    def reset(self) -> None:
        """End everything and forget its state: the next `up` starts with an empty cluster."""
        self.down()
        shutil.rmtree(self.directory, ignore_errors=True)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator; returns what it printed.

        While no gateway runs, such as on a node without power, kubectl warns of the API that nobody serves.
        """
        argv = [binaries() / "kubectl", "--kubeconfig", self.kubeconfig, *arguments]
        return run(argv, stdin=stdin, warnings=False)

    @contextmanager
    def forwarded(self, what: str, port: int) -> Iterator[int]:
        """A port of a Pod of the default namespace, reached through `kubectl port-forward`; yields the local port."""
        argv = [binaries() / "kubectl", "--kubeconfig", self.kubeconfig, "port-forward", what, f":{port}"]
        with subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, text=True) as forwarder:
            assert forwarder.stdout is not None
            said = forwarder.stdout.readline()  # Forwarding from 127.0.0.1:PORT -> 8000
            if not said:
                raise LabError(f"kubectl port-forward {what} ended: see above")
            try:
                yield int(said.split(" -> ")[0].rpartition(":")[2])
            finally:
                forwarder.terminate()

    def _node_ready(self, name: str) -> bool:
        """Ready, and said since its power came on: what a node said before stands in the API for a while."""
        found = [node for node in self.api.list("node") if node["metadata"]["name"] == name]
        conditions = [condition for node in found for condition in node["status"].get("conditions", [])]
        leases = [lease for lease in self.api.list("lease") if lease["metadata"]["name"] == name]
        renewed = any(_time(lease["spec"]["renewTime"]) > self.node(name).powered_on for lease in leases)
        return renewed and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _ssh_key(self) -> None:
        key = self.directory / "ssh_key"
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])

    def _forward(self) -> None:
        daemon = Daemon(self.directory, "forward")
        arguments = [str(LOOPBACK_PORT), network.GATEWAY, "443"]
        code = f"{REPOSITORY}:{REPOSITORY / 'cli'}"
        daemon.start([sys.executable, "-m", "lab.forward", *arguments], env={"PYTHONPATH": code})
        inside = (self.plane.directory / "kubeconfig").read_text()
        self.kubeconfig.write_text(inside.replace(self.plane.server, f"https://127.0.0.1:{LOOPBACK_PORT}"))
        self.kubeconfig.chmod(0o600)
        wait_until("the API server on loopback", self.answers, daemon, 30)

    def answers(self) -> bool:
        """Whether the API server is ready, asked through the loopback."""
        try:
            return self.kubectl("get", "--raw", "/readyz").strip() == "ok"
        except LabError:
            return False

    def _drop_stale_disks(self, made: Ready) -> list[str]:
        """A node's overlay is only valid over the base it was made from: another base means new disks."""
        dropped = []
        stamp = self.directory / "bases"
        bases = f"{made.boot.disk}\n{made.images}\n"
        if stamp.exists() and stamp.read_text() != bases:
            for node in self.nodes():
                if node.daemon.running():
                    say(f"{node.name} runs an older image: restarting it")
                    node.kill()
                shutil.rmtree(node.folder)
                dropped.append(node.name)
        stamp.write_text(bases)
        return dropped


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def prepare() -> Ready:
    """Build what the cache lacks: programs and Debian beside each other, as one waits where the other works."""
    packages.install_missing()
    emulator.qemu()
    with ThreadPoolExecutor() as pool:
        programs = pool.submit(binaries)
        root = pool.submit(debian_root)
        built = programs.result()
        guests = {"demo-guest": guest_disk(root.result()), "signed-guest": signed_disk()}
    guests["demo-installer"] = installer_iso()
    return Ready(built, node_boot(), image_disk(images.build_images(REPOSITORY, guests)))
