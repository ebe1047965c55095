"""The commands: look, tell, refuse or do."""

from __future__ import annotations

import argparse
import ipaddress
import shutil
from pathlib import Path

from libvf_workstation import cards, existing, plan, take_down
from libvf_workstation.bring_up import BringUp
from libvf_workstation.errors import Refused
from libvf_workstation.executor import Executor
from libvf_workstation.facts import in_the_way
from libvf_workstation.host import Host
from libvf_workstation.journal import Journal
from libvf_workstation.layout import Layout
from libvf_workstation.look import look
from libvf_workstation.payload import Bundle
from libvf_workstation.progress import say
from libvf_workstation.steps import told
from libvf_workstation.units import SERVICES

_LAYOUT = Layout()
_PREPARE = "what the host itself needs (IOMMU, modules, huge pages): `libvf-agent prepare`, docs/preparation.md"


def up(options: argparse.Namespace) -> int:
    """Looks, tells the plan, and with --yes carries it out."""
    journal = Journal.load(_LAYOUT.state)
    layout = Layout(pods=_pods(journal.facts.get("pods", options.pods)))
    host = Host(layout)
    found = cards.look(layout.root)
    policies = cards.policies(found, options.card, options.even_the_desktop)
    cluster = None if options.own or not journal.empty else existing.find(host, options.kubeconfig)
    print(f"Cards of this host:\n{cards.told(found, cards.parents(layout.root))}")
    if cluster:
        return _up_existing(options, host, cluster)
    bundle = Bundle.find(options.bundle)
    facts = look(layout, journal)
    wrong = in_the_way(facts, layout.pods, bundle.size())
    steps = plan.steps(layout, facts, _has_kubectl(layout))
    print(f"A node of its own, Kubernetes {bundle.about()['kubernetes']}, called {facts.node}:")
    print("\n".join(f"  {told(step)}" for step in steps))
    print(f"  start {' '.join(SERVICES)}\n  apply manifests/overlays/workstation")
    print("\n".join(f"  GpuPolicy {policy['metadata']}" for policy in policies) or "  take no card from the host")
    print(f"Not done here: {_PREPARE}")
    if wrong:
        raise Refused("nothing was changed:\n  " + "\n  ".join(wrong))
    if not options.yes:
        print("Nothing was changed: say --yes.")
        return 0
    _remember(layout, journal)
    run = BringUp(layout, host, Executor(journal, bundle), bundle, facts.node)
    changed = run.files(steps)
    run.credentials()
    run.start(changed)
    run.apply()
    run.give(policies)
    print(f"Ready. export KUBECONFIG={layout.kubeconfig}; machines to begin with: {layout.programs / 'examples'}")
    return 0


def down(options: argparse.Namespace) -> int:
    """Tells what goes, and with --yes removes it and looks whether anything is left."""
    journal = Journal.load(_LAYOUT.state)
    layout = Layout(pods=journal.facts.get("pods", _LAYOUT.pods))
    host = Host(layout)
    if journal.empty:
        return _down_existing(options, host)
    run = take_down.TakeDown(layout, host, Executor(journal, Bundle(Path())))
    volumes = run.volumes()
    print("All machines, partitions and policies of the node, its programs, and what was made for it:")
    print("\n".join(f"  {name}" for name in reversed(journal.made)))
    print(f"What stays: the kernel's modules until a reboot, the journal of systemd, and {_PREPARE}")
    take_down.confirm_volumes(volumes, options.delete_volumes)
    if not options.yes:
        print("Nothing was changed: say --yes.")
        return 0
    run.machines()
    run.programs()
    run.files()
    run.prove()
    print("Taken back; nothing is left.")
    return 0


def status(_: argparse.Namespace) -> int:
    """Each unit's state and the node's."""
    journal = Journal.load(_LAYOUT.state)
    if journal.empty:
        print("Nothing of a workstation is here: `up` makes it.")
        return 1
    host = Host(_LAYOUT)
    active = {unit: host.does("systemctl", "is-active", "--quiet", unit) for unit in SERVICES}
    print("\n".join(f"{unit:<34} {'running' if runs else 'not running'}" for unit, runs in active.items()))
    if not host.api.ready():
        print("the API server does not answer: journalctl -u 'libvf-*' says why")
        return 1
    print(host.kubectl("get", "nodes,pods,vfvm", "--all-namespaces"))
    return 0 if all(active.values()) else 1


def _up_existing(options: argparse.Namespace, host: Host, cluster: Path) -> int:
    """Nothing but our manifests, on a cluster that has what they need."""
    answer = existing.ask(host, cluster)
    print(f"A cluster is there already, Kubernetes {answer.version} ({cluster}): only libvf's manifests are applied.")
    wrong = existing.missing(answer)
    if options.overlay is None:
        wrong.append("no manifests with images that its nodes can pull: copy manifests/overlays/default, name yours in "
                     "it, and name the folder by --overlay")  # fmt: skip
    if wrong:
        raise Refused("nothing was changed:\n  " + "\n  ".join(wrong))
    if not options.yes:
        print(f"  apply {options.overlay}\nNothing was changed: say --yes.")
        return 0
    existing.apply(host, cluster, options.overlay)
    print("Applied: kubectl -n libvf-system get pods")
    return 0


def _down_existing(options: argparse.Namespace, host: Host) -> int:
    cluster = existing.find(host, options.kubeconfig)
    if cluster is None:
        print("Nothing of a workstation is here.")
        return 0
    if options.overlay is None:
        raise Refused(f"the cluster of {cluster} is not ours: name the manifests that were applied to it by --overlay")
    print(f"All machines, partitions and policies of {cluster}, and all of {options.overlay}.")
    if not options.yes:
        print("Nothing was changed: say --yes.")
        return 0
    existing.remove(host, cluster, options.overlay)
    return 0


def _remember(layout: Layout, journal: Journal) -> None:
    """What taking back must know of the host as it is now, before anything is made."""
    if "pods" in journal.facts:
        return
    journal.claim(layout.state)
    agent = layout.agent
    journal.facts |= {
        "pods": layout.pods,
        "profile": take_down.has_profile(layout.root),
        "agent_folder": agent.is_dir(),
        "agent": sorted(entry.name for entry in agent.glob("*")),
    }
    journal.save()
    say(f"what is made is recorded in {journal.file}")


def _has_kubectl(layout: Layout) -> bool:
    found = shutil.which("kubectl")
    return found is not None and Path(found).resolve().parent != layout.bin


def _pods(text: str) -> str:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise Refused(f"--pods {text}: {error}") from error
    if network.version != 4 or network.prefixlen != 24:
        raise Refused(f"--pods {text}: an IPv4 network of /24, as 10.244.0.0/24")
    return str(network)
