"""A machine as its installer left it, with the agent's code on it: what tests ask of it."""

import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import msgspec
from libvf_api.host import Examination, Finding, Severity

from lab.testbed import REPOSITORY
from lab.wholedisk import USER
from lab.wholemachine import WholeMachine

CODE = "/opt/libvf"
# a slow emulated machine makes an initramfs in it
PREPARE_SECONDS = 420.0
# a Debian writes these of its own accord: logs, its seed, folders of services, and at midnight copies of dpkg's lists
RUNNING = ("var/log/*", "var/lib/systemd/*", "var/tmp/*", "var/backups/*")

_LOOK = f"""
import grp, json, os, subprocess
pages = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
print(json.dumps({{
    "words": open("/proc/cmdline").read().split(),
    "groups": len(os.listdir("/sys/kernel/iommu_groups")),
    "modules": [name for name in os.listdir("/sys/module") if name.startswith(("vfio", "mdev"))],
    "pages": int(open(pages).read()),
    "in_kvm": "{USER}" in grp.getgrnam("kvm").gr_mem,
    "units": subprocess.run(["systemctl", "is-system-running"], capture_output=True, text=True).stdout.strip(),
}}))
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a machine says of itself after a start: `units` is systemd's word for all of them."""

    words: tuple[str, ...]
    groups: int
    modules: frozenset[str]
    pages: int
    in_kvm: bool
    units: str
    findings: tuple[Finding, ...]


def install(machine: WholeMachine) -> None:
    """Copies the code there, as a checkout."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for folder in (REPOSITORY / "api" / "libvf_api", REPOSITORY / "host-agent" / "libvf_agent"):
            tar.add(folder, folder.name, filter=lambda entry: None if "__pycache__" in entry.name else entry)
    machine.check(["sh", "-c", f"mkdir -p {CODE} && tar -xz -C {CODE}"], stdin=archive.getvalue())


def agent(*arguments: str) -> list[str]:
    """`python3 -m libvf_agent ..` in the machine."""
    return [f"PYTHONPATH={CODE}", "python3", "-m", "libvf_agent", *arguments]


def prepare(machine: WholeMachine, *options: str) -> dict[str, Any]:
    """What `prepare` tells, as programs read it."""
    told = machine.check(agent("prepare", *options, "--output", "json"), seconds=PREPARE_SECONDS)
    return dict(json.loads(told))


def seen(machine: WholeMachine) -> Seen:
    """Looks at it, and has the doctor look."""
    found = json.loads(machine.check(["python3", "-"], stdin=_LOOK.encode()))
    # it ends with 1 where something fails
    told = machine.execute(agent("doctor", "--output", "json")).out
    found |= {"words": tuple(found["words"]), "modules": frozenset(found["modules"])}
    return Seen(**found, findings=msgspec.json.decode(told, type=Examination).findings)


def changed_since(machine: WholeMachine, stamp: str) -> set[str]:
    """Every file on its disk whose content, mode or owner was written since the stamp, by the kernel's own record."""
    return set(machine.check(["find", "/", "-xdev", "-not", "-type", "d", "-cnewer", stamp]).splitlines())


def unexplained(lines: Iterable[str], *patterns: str) -> set[str]:
    """The lines, without first slash, whose path (the first word) is neither Debian's to write nor as one of these."""
    bare = {line.lstrip("/") for line in lines}
    spared = (*RUNNING, *patterns)
    return {line for line in bare if not any(fnmatch(line.split(" ")[0], pattern) for pattern in spared)}


def red(examined: Seen) -> dict[str, Finding]:
    """Errors by their check that software can mend: all but those whose cure is in the firmware's settings.

    An emulated CPU of Intel's has no VT-x, and no program gives it one; so the check Kvm stays red there.
    """
    errors = [finding for finding in examined.findings if finding.severity is Severity.ERROR]
    return {finding.check: finding for finding in errors if "in the firmware's settings" not in finding.cure}
