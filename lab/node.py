"""A node VM: its disks, its identity, its QEMU, and commands run in it by ssh."""

import io
import ipaddress
import json
import shlex
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from libvf_workstation.kubeconfig import document

from lab.accelerator import accelerator
from lab.cards import IOMMU
from lab.controlplane import ControlPlane
from lab.emulator import qemu
from lab.network import GATEWAY, INSIDE, NAMESPACE, NodeAddress
from lab.noderoot import NodeBoot
from lab.shape import PLAIN, Shape
from lab.shell import Daemon, run

# a page walk of four levels, not five: under emulation each is paid for, and nested ones many times over
CPU_MODEL = "max,la57=off"
COMMAND_LINE = "root=/dev/vda rw console=ttyS0 mitigations=off quiet panic=5 systemd.show_status=no"


@dataclass(frozen=True, slots=True)
class Node:
    """The node called `name`; all its files are in `directory`/<name>."""

    name: str
    directory: Path

    @property
    def folder(self) -> Path:
        """Where its disks, console log and keys are."""
        return self.directory / self.name

    @property
    def daemon(self) -> Daemon:
        """Its QEMU."""
        return Daemon(self.folder, "qemu")

    @property
    def powered_on(self) -> float:
        """When its power last came on, in seconds since the epoch."""
        return self.daemon.pid_file.stat().st_mtime

    @property
    def console(self) -> Path:
        """Its serial console, from power-on."""
        return self.folder / "console.log"

    @property
    def more(self) -> Path:
        """Where a further disk is put, raw, which the node has from its next start on and may only read."""
        return self.directory / f"{self.name}.more.raw"

    @property
    def address(self) -> NodeAddress:
        """Its addresses."""
        return NodeAddress(self.name)

    def start(self, boot: NodeBoot, images: Path, plane: ControlPlane, shape: Shape = PLAIN) -> None:
        """Power it on; disks that are there already are kept, as a real machine's would be."""
        if self.daemon.running():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._disk("root", boot.disk)
        self._disk("images", images)
        (self.folder / "identity.tar").write_bytes(self._identity(plane))
        self.daemon.start([*INSIDE, *self._qemu(boot, shape)])

    def kill(self) -> None:
        """Cut its power."""
        if self._connection.exists():
            subprocess.run(["ssh", "-o", f"ControlPath={self._connection}", "-O", "exit", "node"], capture_output=True)
        self.daemon.stop(grace=0)

    def execute(self, argv: Sequence[str], stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run a command in it as root; the result carries code and output."""
        return subprocess.run(
            self.ssh(argv), input=stdin, stdin=None if stdin else subprocess.DEVNULL, capture_output=True
        )

    def ssh(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs argv in the node."""
        quiet = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        key = ["-i", str(self.directory / "ssh_key"), "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=10"]
        # a handshake costs an emulated node a second, so one connection serves for a while; it ends with the node
        shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self._connection}", "-o", "ControlPersist=60"]
        alive = ["-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=3"]
        words = [shlex.quote(word) for word in argv]
        return [*INSIDE, "ssh", *quiet, *key, *shared, *alive, f"root@{self.address.ip}", "--", *words]

    @property
    def _connection(self) -> Path:
        """The socket of the shared connection; not below the checkout, as its path must be short (unix(7))."""
        return Path(tempfile.gettempdir()) / f"{NAMESPACE}-{self.name}.ssh"

    def _disk(self, name: str, base: Path) -> None:
        overlay = self.folder / f"{name}.qcow2"
        if not overlay.exists():
            run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base.resolve(), overlay])

    def _qemu(self, boot: NodeBoot, shape: Shape) -> list[str]:
        drives = [self._drive("root"), self._drive("images")]
        return [
            str(qemu()),
            *("-name", self.name, "-nodefaults", "-display", "none"),
            *("-d", "cpu_reset", "-D", str(self.folder / "resets.log")),
            *("-machine", "q35,kernel-irqchip=split", "-cpu", CPU_MODEL),
            *("-kernel", str(boot.kernel), "-initrd", str(boot.initramfs)),
            *("-append", f"{COMMAND_LINE} {IOMMU}"),
            *("-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console"),
            *(word for drive in drives for word in drive),
            *("-netdev", f"tap,id=net,ifname={self.name},script=no,downscript=no"),
            *("-device", f"virtio-net-pci,bus=pcie.0,netdev=net,mac={self.address.mac}"),
            *("-device", "virtio-rng-pci,bus=pcie.0"),
            *shape.arguments(accelerator()),
            *("-fw_cfg", f"name=opt/libvf/node,file={self.folder / 'identity.tar'}"),
            *(self._further() if self.more.exists() else ()),
        ]

    def _drive(self, name: str) -> list[str]:
        options = f"file={self.folder / name}.qcow2,id={name},if=none,format=qcow2,cache=unsafe"
        return ["-drive", options, "-device", f"virtio-blk-pci,bus=pcie.0,drive={name}"]

    def _further(self) -> list[str]:
        """It comes last, so that every other device is where it always is."""
        options = f"file={self.more},id=more,if=none,format=raw,readonly=on"
        return ["-drive", options, "-device", "virtio-blk-pci,bus=pcie.0,drive=more,serial=more"]

    def _identity(self, plane: ControlPlane) -> bytes:
        """The tar that the node unpacks at boot: name, addresses, credentials, CNI configuration."""
        token = plane.tokens.by_user[f"system:node:{self.name}"]
        authority = plane.certificates.cert("ca")
        files = {
            "etc/hostname": f"{self.name}\n",
            "etc/node/environment": f"NODE_NAME={self.name}\nNODE_IP={self.address.ip}\n",
            "etc/node/setup": self._setup_script(),
            "etc/kubernetes/ca.crt": authority.read_text(),
            "etc/kubernetes/kubelet.kubeconfig": document(plane.server, authority, token),
            "etc/cni/net.d/10-pods.conflist": json.dumps(self._cni()),
            "root/.ssh/authorized_keys": (self.directory / "ssh_key.pub").read_text(),
        }
        return _tar(files)

    def _setup_script(self) -> str:
        return "\n".join(
            [
                "set -e",
                f"hostname {self.name}",
                "link=$(basename $(ls -d /sys/bus/virtio/drivers/virtio_net/virtio*/net/*))",
                "ip link set lo up",
                'ip link set "$link" up',
                f'ip address replace {self.address.ip}/24 dev "$link"',
                f"ip route replace default via {GATEWAY}",
                "sysctl -q -w net.ipv4.ip_forward=1",
                "[ -s /etc/node/host_key ] || dropbearkey -t ed25519 -f /etc/node/host_key >/dev/null",
                "mkdir -p /var/lib/containerd",
                "mountpoint -q /var/lib/containerd || mount -o noatime /dev/vdb /var/lib/containerd",
                "",
            ]
        )

    def _cni(self) -> dict[str, object]:
        gateway = str(next(ipaddress.ip_network(self.address.pods).hosts()))
        ranges = [[{"subnet": self.address.pods, "gateway": gateway}]]
        bridge = {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": False,  # the lab's routes carry Pod addresses between nodes
            "ipam": {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]},
        }
        return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}


def _tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o600
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
