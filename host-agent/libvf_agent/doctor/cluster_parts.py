"""What Kubernetes needs of this host: cgroup v2, kubelet and container runtime."""

from __future__ import annotations

import re

from libvf_api.host import Finding, Severity

from libvf_agent.doctor.facts import CONTROLLERS, Facts

KUBELET = (1, 36)
CONTAINERD = (2, 0)
_NOT_TOLD = "not told here"
_ASK = "kubectl vf doctor (it asks the API server for the versions)"
# a guest's cores and memory are held by these two; huge pages are the third
_NEEDED = ("cpuset", "memory", "hugetlb")


def findings(facts: Facts) -> tuple[Finding, ...]:
    """One each."""
    kubelet = facts.node.kubelet if facts.node else ""
    runtime = facts.node.runtime if facts.node else ""
    return (_cgroup(facts), _kubelet(kubelet), _runtime(runtime))


def _cgroup(facts: Facts) -> Finding:
    if CONTROLLERS in facts.unreadable:
        return Finding("host", "Cgroup", Severity.UNKNOWN, f"/{CONTROLLERS} can not be read", "run this as root")
    if facts.controllers is None:
        return Finding(
            "host",
            "Cgroup",
            Severity.ERROR,
            f"/{CONTROLLERS} is missing: this host does not run cgroup v2",
            "add systemd.unified_cgroup_hierarchy=1 to the kernel command line and reboot",
        )
    lacking = [name for name in _NEEDED if name not in facts.controllers]
    if not lacking:
        return Finding("host", "Cgroup", Severity.OK, f"cgroup v2 with {', '.join(_NEEDED)}")
    severity = Severity.WARNING if lacking == ["hugetlb"] else Severity.ERROR
    what = f"/{CONTROLLERS} lacks {', '.join(lacking)}"
    return Finding("host", "Cgroup", severity, what, "take cgroup_disable off the kernel command line and reboot")


def _kubelet(version: str) -> Finding:
    if not version:
        return Finding("kubelet", "Kubelet", Severity.UNKNOWN, _NOT_TOLD, _ASK)
    return _new_enough("kubelet", "Kubelet", version, KUBELET)


def _runtime(name: str) -> Finding:
    if not name:
        return Finding("containerd", "Containerd", Severity.UNKNOWN, _NOT_TOLD, _ASK)
    runtime, _, version = name.partition("://")
    if runtime != "containerd":
        what = f"the runtime is {name}: libvf is tested with containerd {_told(CONTAINERD)} and newer"
        return Finding(runtime, "Containerd", Severity.WARNING, what, "use containerd, or test devices by CDI yourself")
    return _new_enough("containerd", "Containerd", version, CONTAINERD)


def _new_enough(program: str, check: str, version: str, floor: tuple[int, int]) -> Finding:
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found is None:
        return Finding(program, check, Severity.UNKNOWN, f"{version} is no version of {program} that is understood")
    if (int(found[1]), int(found[2])) < floor:
        what = f"{version} is older than {_told(floor)}"
        return Finding(program, check, Severity.ERROR, what, f"upgrade {program} to {_told(floor)} or newer")
    return Finding(program, check, Severity.OK, version)


def _told(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
