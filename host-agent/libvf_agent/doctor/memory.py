"""Memory for guests: huge pages and NUMA nodes, and why the host needs no memlock limit."""

from __future__ import annotations

from libvf_api.host import Finding, Severity
from libvf_api.quantity import of_bytes

from libvf_agent.doctor.cures import PREPARE
from libvf_agent.doctor.facts import SERVED, Facts, HugePages, NumaNode

_SET_ASIDE = f"{PREPARE} --hugepages 2Mi=N --yes, then reboot"


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Huge pages for each NUMA node, cards that do not say where they are, whether cells can be kept, and the hook."""
    return (*_hugepages(facts), *_numa(facts), _cells(facts), _memlock(facts))


def _cells(facts: Facts) -> Finding:
    """CPUs and memory of one NUMA node for one claim: kubelet's own managers would take them back."""
    if refused := facts.cells_refused:
        return Finding(
            "host",
            "Cells",
            Severity.WARNING,
            f"machines with numa policy Aligned do not come here: {refused.what}",
            refused.cure,
        )
    return Finding("host", "Cells", Severity.OK, "kubelet hands out no CPU and no memory by itself")


def _hugepages(facts: Facts) -> tuple[Finding, ...]:
    if not facts.numa_nodes:
        what = "no node in /sys/devices/system/node: huge pages are not told"
        return (Finding("host", "HugePages", Severity.UNKNOWN, what),)
    sizes = {pages.size for node in facts.numa_nodes for pages in node.pages if pages.total}
    return tuple(_pages_of(node, sizes) for node in facts.numa_nodes)


def _pages_of(node: NumaNode, sizes: set[int]) -> Finding:
    """`sizes` are those that some node of the host has."""
    unread = [pages for pages in node.pages if pages.total is None or pages.free is None]
    if unread:
        what = f"{', '.join(_size(pages) for pages in unread)}: nr_hugepages or free_hugepages can not be read"
        return Finding(node.name, "HugePages", Severity.UNKNOWN, what)
    if not sizes:
        what = "none set aside: machines that ask for hugepages are not placed here, others are"
        return Finding(node.name, "HugePages", Severity.OK, what, _SET_ASIDE)
    here = [pages for pages in node.pages if pages.total]
    told = ", ".join(f"{_size(pages)}: {pages.free} free of {pages.total}" for pages in here)
    lacking = sorted(sizes - {pages.size for pages in here})
    if not lacking:
        return Finding(node.name, "HugePages", Severity.OK, told)
    names = ", ".join(of_bytes(size << 10) for size in lacking)
    what = f"none of {names}, although another NUMA node has some; {told or 'no other size either'}"
    cure = (
        f"echo N > /sys/devices/system/node/{node.name}/hugepages/hugepages-{lacking[0]}kB/nr_hugepages, "
        "early after boot"
    )
    return Finding(node.name, "HugePages", Severity.WARNING, what, cure)


def _size(pages: HugePages) -> str:
    return of_bytes(pages.size << 10)


def _numa(facts: Facts) -> tuple[Finding, ...]:
    """On a host of one node there is nothing to tell apart, and 0 is published."""
    if not facts.numa_is_told_apart:
        return ()
    found = []
    for gpu in facts.gpus:
        if gpu.card.vendor not in SERVED:
            continue
        address, said = gpu.card.address, gpu.numa_node
        if said.isdecimal():
            found.append(Finding(address, "NumaNode", Severity.OK, f"on NUMA node {said}"))
            continue
        what = (
            f"numa_node is {said or 'missing'}, and this host has {len(facts.numa_nodes)} nodes: no numaNode is "
            "published, so machines with numa policy Aligned do not get this card"
        )
        cure = f"a firmware that tells it, or: echo N > /sys/bus/pci/devices/{address}/numa_node, at every boot"
        found.append(Finding(address, "NumaNode", Severity.WARNING, what, cure))
    return tuple(found)


def _memlock(facts: Facts) -> Finding:
    """VFIO pins guest memory; the limit is raised for just that container, so the host needs none."""
    if facts.hook:
        what = "no limit of the host is needed: the agent's hook raises RLIMIT_MEMLOCK of just the guest's container"
        return Finding("host", "Memlock", Severity.OK, what)
    return Finding(
        "host",
        "Memlock",
        Severity.WARNING,
        "the agent's hook is not installed: guests with devices could not lock their memory",
        "start the agent: kubectl apply -k manifests/overlays/default; it installs the hook",
    )
