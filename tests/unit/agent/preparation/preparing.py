"""What a person does with a host: look, prepare, take back."""

from libvf_agent.preparation.executor import Executor
from libvf_agent.preparation.manifest import Manifest, State
from libvf_agent.preparation.plan import Plan, plan
from libvf_agent.preparation.reader import read
from libvf_agent.preparation.root import HostRoot
from libvf_agent.preparation.undo import Undo
from libvf_agent.preparation.wishes import Wishes

from tests.unit.agent.preparation.hosts import Host


def planned(host: Host, wishes: Wishes | None = None) -> Plan:
    """What `prepare` would show."""
    root = HostRoot(host.root)
    return plan(read(root), wishes or Wishes(), (State(root).load() or Manifest()).due)


def prepare(host: Host, wishes: Wishes | None = None) -> Plan:
    """`prepare --yes`."""
    todo = planned(host, wishes)
    Executor(HostRoot(host.root), host).apply(todo)
    return todo


def take_back(host: Host) -> list[str]:
    """`prepare --undo`."""
    return Undo(HostRoot(host.root), host).run()


def told(todo: Plan) -> list[tuple[str, str]]:
    """The steps as what and where."""
    return [(step.what, step.where) for step in (*todo.steps, *todo.remakes)]
