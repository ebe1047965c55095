"""Whether node VMs run under KVM or TCG, found by booting a kernel rather than by looking for /dev/kvm.

A /dev/kvm may exist and not run ordinary guests: they hang. So a real kernel is given some seconds to
print its banner; the answer is remembered for this boot of the host.
"""

import os
import subprocess
from functools import cache as remembered
from pathlib import Path

from lab import cache
from lab.emulator import qemu
from lab.noderoot import node_boot
from lab.progress import say

_SECONDS = 20
_BANNER = b"Linux version"


@remembered
def accelerator() -> str:
    """`kvm` where an ordinary kernel boots under it on this host, else `tcg`."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    answer = _answer()
    if not answer.exists():
        cache.root().mkdir(parents=True, exist_ok=True)
        answer.write_text("kvm" if _boots_under_kvm() else "tcg")
    return answer.read_text()


def known() -> str | None:
    """The same where it was found out in this boot of the host; None where nobody has asked yet."""
    answer = _answer()
    return answer.read_text() if answer.exists() else None


def _answer() -> Path:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return cache.root() / f"accelerator-{boot}"


def _boots_under_kvm() -> bool:
    kernel = str(node_boot().kernel)
    machine = ["-nodefaults", "-display", "none", "-no-reboot", "-M", "q35,accel=kvm", "-cpu", "max", "-m", "512"]
    guest = ["-kernel", kernel, "-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1", "-serial", "stdio"]
    try:
        process = subprocess.run(
            [str(qemu()), *machine, *guest], capture_output=True, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
        printed = process.stdout
    except subprocess.TimeoutExpired as expired:
        printed = expired.stdout or b""
    if b"Kernel panic" in printed and _BANNER in printed:
        return True  # no root was given: the panic is the proof that it booted to the end
    say("/dev/kvm is there but does not run an ordinary kernel: node VMs use TCG")
    return False
