"""A machine that starts from its own disk: firmware, boot loader, kernel, as a user's does; no cluster, no network.

It has an Intel CPU and an Intel IOMMU, and a display card of AMD's, so that a host agent finds something to mend.
"""

import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.accelerator import accelerator
from lab.emulator import qemu
from lab.errors import CommandFailed, LabError, NotReady
from lab.guestagent import PORT, Done, GuestAgent
from lab.progress import Wait, step
from lab.shell import Daemon, run

MEMORY_MIB = 1536
CPUS = 1  # emulated ones that run side by side are not safe, see shape.py
# TCG's own CPU says it is AMD's and of a family in which Intel made none; four levels of page walk, see node.py
CPU_MODEL = "max,vendor=GenuineIntel,family=6,model=94,stepping=3,svm=off,la57=off"
UP_SECONDS = 300.0
OFF_SECONDS = 120.0
# what the node VMs have: under emulation AMD's virtualisation works in the machine itself
CPU_WITH_KVM = "max,la57=off"
# what moves the cursor and sets colours and palettes (ECMA-48), and carriage returns
_CONTROLS = re.compile(r"\x1b\[[0-9;?!]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|\r")


@dataclass(frozen=True, slots=True)
class DirectBoot:
    """A kernel that QEMU loads itself, where the disk has no boot loader yet."""

    kernel: Path
    initrd: Path
    cmdline: str


@dataclass(frozen=True, slots=True)
class WholeMachine:
    """The machine whose files are in `folder`; `more` are further disks, raw, which it may only read."""

    folder: Path
    cpu: str = CPU_MODEL
    memory_mib: int = MEMORY_MIB
    more: tuple[Path, ...] = ()

    @property
    def daemon(self) -> Daemon:
        """Its QEMU."""
        return Daemon(self.folder, "qemu")

    @property
    def console(self) -> Path:
        """Its serial console: all starts, one after the other."""
        return self.folder / "console.log"

    @property
    def agent(self) -> GuestAgent:
        """The way into it; the socket is not in the folder, as its path must be short (unix(7))."""
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return GuestAgent(Path(tempfile.gettempdir()) / f"libvf-{name}.agent")

    @property
    def overlay(self) -> Path:
        """What it changed of a disk that others start from too."""
        return self.folder / "disk.qcow2"

    def fresh(self, base: Path, size: str = "") -> None:
        """A disk that is the base still; with a size its last part is empty."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.overlay.unlink(missing_ok=True)
        run(
            [
                "qemu-img",
                "create",
                "-q",
                "-f",
                "qcow2",
                "-F",
                "raw",
                "-b",
                base.resolve(),
                self.overlay,
                *([size] if size else []),
            ]
        )

    def start(self, disk: Path | None = None, boot: DirectBoot | None = None) -> None:
        """Power it on, from its overlay or from another disk, which it then changes."""
        self.daemon.start(self._qemu(disk or self.overlay, boot))

    def wait_up(self) -> None:
        """Until systemd has started all that it starts, well or not, and udev has loaded what devices ask for."""
        with step("the machine starts"):
            self._wait("the guest agent", self.agent.answers, UP_SECONDS, alive=True)
            self.execute(["systemctl", "is-system-running", "--wait"], seconds=UP_SECONDS)
            self.execute(["udevadm", "settle", f"--timeout={UP_SECONDS:.0f}"], seconds=UP_SECONDS)

    def execute(self, argv: Sequence[str], stdin: bytes = b"", seconds: float = 120.0) -> Done:
        """Run a program in it as root."""
        return self.agent.execute(["/usr/bin/env", *argv], stdin, seconds)

    def check(self, argv: Sequence[str], stdin: bytes = b"", seconds: float = 120.0) -> str:
        """What a program in it prints; raises CommandFailed where it fails."""
        with step(f"in the machine: {' '.join(argv)[:80]}"):
            done = self.execute(argv, stdin, seconds)
        if done.code:
            raise CommandFailed(list(argv), done.code, done.out + done.err)
        return done.out

    def power_off(self) -> None:
        """Shut it down in order."""
        with step("the machine is switched off"):
            self.agent.power_off()
            self._wait("switched off", lambda: not self.daemon.running(), OFF_SECONDS, alive=False)

    def kill(self) -> None:
        """Cut its power."""
        self.daemon.stop(grace=0)
        self.agent.socket.unlink(missing_ok=True)

    def last_line(self) -> str:
        """The last thing on its console."""
        try:
            lines = _CONTROLS.sub("", self.console.read_text(errors="replace")).splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _wait(self, what: str, ready: Callable[[], bool], seconds: float, alive: bool) -> None:
        wait = Wait(what, seconds)
        while not ready():
            if alive and not self.daemon.running():
                raise LabError(f"QEMU ended before {what} was ready:\n{self.daemon.last_words()}")
            if not wait.left:
                raise NotReady(f"{what} ({self.last_line()!r} on the console)", seconds, self.console)
            wait.tell(self.last_line()[:80])
            time.sleep(0.5)

    def _qemu(self, disk: Path, boot: DirectBoot | None) -> list[str]:
        kind = "qcow2" if disk.suffix == ".qcow2" else "raw"
        direct = ("-kernel", str(boot.kernel), "-initrd", str(boot.initrd), "-append", boot.cmdline) if boot else ()
        return [
            str(qemu()),
            *("-nodefaults", "-display", "none", "-nic", "none"),
            *("-machine", f"q35,accel={accelerator()},kernel-irqchip=split", "-cpu", self.cpu),
            *("-smp", str(CPUS), "-m", str(self.memory_mib)),
            *("-device", "intel-iommu,intremap=on,caching-mode=on"),
            *("-device", "ati-vga,model=rage128p"),
            *("-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console"),
            *("-drive", f"file={disk},id=disk,if=none,format={kind},cache=unsafe"),
            *("-device", "virtio-blk-pci,drive=disk"),
            *(word for number, path in enumerate(self.more) for word in _read_only(number, path)),
            *("-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,path={self.agent.socket},server=on,wait=off"),
            *("-device", f"virtserialport,chardev=agent,name={PORT}"),
            *("-device", "virtio-rng-pci"),
            *direct,
        ]


def _read_only(number: int, path: Path) -> list[str]:
    options = f"file={path},id=more{number},if=none,format=raw,readonly=on"
    return ["-drive", options, "-device", f"virtio-blk-pci,drive=more{number}"]
