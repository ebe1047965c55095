"""Where things are in the launcher's container (docs/contracts.md), all below one root so that tests can move it."""

from dataclasses import dataclass
from pathlib import Path

from libvf_api import guest_report, names


@dataclass(frozen=True, slots=True)
class Paths:
    """Every path the launcher reads or writes, and the port at which it is asked."""

    root: Path = Path("/")
    readiness_port: int = names.READINESS_PORT  # 0 for any that is free

    @property
    def machine(self) -> Path:
        """The launch document."""
        return self.root / "etc/libvf/machine.json"

    @property
    def run(self) -> Path:
        """Sockets and the readiness file."""
        return self.root / "run/libvf"

    @property
    def state(self) -> Path:
        """Overlays and blank disks of this run."""
        return self.root / "var/lib/libvf"

    @property
    def keep(self) -> Path:
        """The volume of spec.state, which outlives the Pod."""
        return self.root / "var/lib/libvf-keep"

    @property
    def kept_disks(self) -> Path:
        """Overlays and blank disks that outlive the Pod, and what the overlays were made over."""
        return self.keep / "disks"

    @property
    def secrets(self) -> Path:
        """Secrets that the spec names, a folder each."""
        return self.root / "var/run/secrets/libvf"

    @property
    def tools(self) -> Path:
        """The folder of spec.guestTools, read-only."""
        return self.root / "media/guest-tools"

    @property
    def qmp(self) -> Path:
        """The launcher's own QMP socket."""
        return self.run / "qmp.sock"

    @property
    def qmp_admin(self) -> Path:
        """The QMP socket for `libvf-launcher qmp` and `screenshot`, run by exec."""
        return self.run / "qmp-admin.sock"

    @property
    def vnc(self) -> Path:
        """The VNC server's socket."""
        return self.run / "vnc.sock"

    @property
    def spice(self) -> Path:
        """The SPICE server's socket."""
        return self.run / "spice.sock"

    @property
    def shared_memory(self) -> Path:
        """Memory that the guest shares with who looks and listens."""
        return self.root / "dev/shm"

    @property
    def serial(self) -> Path:
        """The guest's serial console."""
        return self.run / "serial.sock"

    @property
    def tpm(self) -> Path:
        """swtpm's control socket."""
        return self.run / "tpm.sock"

    @property
    def ovmf(self) -> Path:
        """UEFI firmware and its templates, of the launcher's image."""
        return self.root / "usr/share/OVMF"

    @property
    def guest_agent(self) -> Path:
        """Our end of the guest agent's port."""
        return self.run / "guest-agent.sock"

    @property
    def report(self) -> Path:
        """The node agent's socket for what the guest says; CDI mounts its folder."""
        return self.root / guest_report.FOLDER.lstrip("/") / guest_report.SOCKET

    @property
    def ready(self) -> Path:
        """Present while QMP says running, as long as the Pod is ready."""
        return self.run / "ready"

    @property
    def command(self) -> Path:
        """The command line as JSON, for people."""
        return self.run / "command.json"

    @property
    def qemu_pid(self) -> Path:
        """QEMU's process id in the container."""
        return self.run / "qemu.pid"

    @property
    def termination(self) -> Path:
        """Where kubelet reads the termination message."""
        return self.root / "dev/termination-log"

    def share(self, name: str) -> Path:
        """The folder that a filesystem of that name shares with the guest."""
        return self.root / "filesystems" / name

    def share_socket(self, name: str) -> Path:
        """Where virtiofsd and QEMU meet for it."""
        return self.run / f"fs-{name}.sock"

    @property
    def virtiofsd(self) -> Path:
        """Debian keeps it out of the PATH."""
        return self.root / "usr/libexec/virtiofsd"

    def volume(self, disk: str) -> Path:
        """The mounted source of a disk."""
        return self.root / "volumes" / disk
