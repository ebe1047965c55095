"""What cards stand on: the kernel, its modules and words, memory by NUMA node, and the distribution's name."""

from __future__ import annotations

from libvf_agent.capture import reduced
from libvf_agent.capture.allowed import MODULE, NUMA, NUMA_NODE, PAGE_SIZE, PAGES, PARAMETERS, VFIO_MODULE, Allowed
from libvf_agent.capture.taker import Taker
from libvf_agent.doctor.facts import CONTROLLERS
from libvf_agent.doctor.nvidia import SERVICES
from libvf_agent.doctor.reader import NODES
from libvf_agent.preparation.facts import CMDLINE, CPUINFO, KERNEL_VERSION, OS_RELEASE, SECURE_BOOT

MODULES = "sys/module"
NVIDIA_VERSION = "proc/driver/nvidia/version"
HOSTNAMES = ("proc/sys/kernel/hostname", "proc/sys/kernel/domainname", "proc/1/root/etc/hostname", "etc/hostname")


def take(taker: Taker) -> None:
    """All of it."""
    for path in (KERNEL_VERSION, CONTROLLERS, SECURE_BOOT, "sys/kernel/security/lockdown"):
        taker.text(path)
    taker.reduced(CMDLINE, reduced.command_line)
    taker.reduced(CPUINFO, reduced.cpu)
    taker.reduced(NVIDIA_VERSION, reduced.nvidia_version)
    taker.node("dev/kvm")
    _distribution(taker)
    modules = _modules(taker)
    if "nvidia" in modules:
        _services(taker)
    for name in taker.names("sys/class/iommu"):
        taker.link(f"sys/class/iommu/{name}")
    for folder in ("sys/class/vfio", "sys/class/vfio-dev"):
        taker.names(folder)
    _numa(taker)


def hostnames(taker: Taker) -> tuple[str, ...]:
    """What this host is called, to be looked for in all that was taken."""
    return tuple(name for path in HOSTNAMES for name in taker.peek(path).split())


def distribution(taker: Taker) -> str:
    """Its `ID`: a host called `debian` that runs Debian is not identified by the word."""
    lines = taker.seen.files.get(OS_RELEASE[0], "").splitlines()
    return next((line[3:].strip('"') for line in lines if line.startswith("ID=")), "")


def _distribution(taker: Taker) -> None:
    """In a Pod /etc is the image's; its first process is the host's where they share process ids.

    A link is followed only where it is relative: an absolute one would lead into the image again.
    """
    for source in (*(f"proc/1/root/{path}" for path in OS_RELEASE), *OS_RELEASE):
        if not taker.leads_astray(source):
            taker.reduced(OS_RELEASE[0], reduced.distribution, source)


def _modules(taker: Taker) -> set[str]:
    """Those that matter, and the drivers of the functions that were taken."""
    drivers = {target.rpartition("/")[2] for path, target in taker.seen.links.items() if path.endswith("/driver")}
    wanted = {*PARAMETERS, *(name.replace("-", "_") for name in drivers)}
    loaded = {name for name in taker.names(MODULES) if name in wanted or VFIO_MODULE.fullmatch(name)}
    for name in sorted(loaded):
        taker.take(f"{MODULES}/{name}", MODULE)
        taker.take(f"{MODULES}/{name}/parameters", Allowed(PARAMETERS.get(name, frozenset())))
    return loaded


def _services(taker: Taker) -> None:
    """NVIDIA's two, and no other process."""
    for pid in filter(str.isdecimal, taker.names("proc")):
        if taker.peek(f"proc/{pid}/comm") in SERVICES:
            taker.text(f"proc/{pid}/comm")


def _numa(taker: Taker) -> None:
    for node in filter(NUMA_NODE.fullmatch, taker.names(NODES)):
        folder = f"{NODES}/{node}"
        taker.take(folder, NUMA)
        taker.reduced(f"{folder}/meminfo", reduced.memory)
        for size in filter(PAGE_SIZE.fullmatch, taker.names(f"{folder}/hugepages")):
            taker.take(f"{folder}/hugepages/{size}", PAGES)
