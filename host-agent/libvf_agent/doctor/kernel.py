"""The kernel, and what Secure Boot thinks of its modules."""

from __future__ import annotations

import re

from libvf_api.host import Finding, Severity

from libvf_agent.doctor.cures import PREPARE
from libvf_agent.doctor.facts import Facts
from libvf_agent.preparation.facts import SecureBoot

FLOOR = (6, 1)
"""mdev and VFIO as the agent drives them."""
XE_FLOOR = (6, 19)
"""xe's sriov_admin."""


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Its age, and modules from elsewhere."""
    return (_age(facts.host.kernel.version), _secure_boot(facts))


def version_of(release: str) -> tuple[int, int] | None:
    """(6, 12) of `6.12.9-amd64`, None where that is no version."""
    found = re.match(r"(\d+)\.(\d+)", release)
    return (int(found[1]), int(found[2])) if found else None


def told_version(version: tuple[int, int]) -> str:
    """As people write it."""
    return f"{version[0]}.{version[1]}"


def _age(release: str) -> Finding:
    running = version_of(release)
    if running is None:
        what = f"/proc/sys/kernel/osrelease says {release or 'nothing'}: no version is read from it"
        return Finding("host", "Kernel", Severity.UNKNOWN, what)
    if running < FLOOR:
        cure = f"start Linux {told_version(FLOOR)} or newer"
        return Finding("host", "Kernel", Severity.ERROR, f"Linux {release} is older than {told_version(FLOOR)}", cure)
    return Finding("host", "Kernel", Severity.OK, f"Linux {release}")


def _secure_boot(facts: Facts) -> Finding:
    """Taint letters: O was built out of the kernel's tree, E has no signature the kernel knows."""
    foreign = [name for name, letters in facts.taints.items() if "O" in letters]
    unsigned = [name for name, letters in facts.taints.items() if "E" in letters]
    state = facts.host.secure_boot
    told = f"Secure Boot: {state.value}"
    if foreign:
        told += f"; built out of the kernel's tree: {', '.join(foreign)}"
    if unsigned:
        told += f"; unsigned: {', '.join(unsigned)}"
    if state is SecureBoot.ON and unsigned:
        cure = f"{PREPARE} (tells the steps to sign them; a kernel that insists will not load them)"
        return Finding("host", "SecureBoot", Severity.WARNING, told, cure)
    return Finding("host", "SecureBoot", Severity.OK, told)
