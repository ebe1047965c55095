"""A virtual machine's life on a real kernel: from apply to nothing left, ten times, and through kills."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab.demo import condition, get, wait_ready
from lab.inspect_node import mdevs, qemus
from lab.testbed import REPOSITORY, Testbed

EXAMPLE = REPOSITORY / "examples" / "vm.yaml"
pytestmark = pytest.mark.e2e
OPERATOR = "app.kubernetes.io/name=libvf-operator"


def _machine(name: str, **spec: Any) -> str:
    machine = yaml.safe_load(EXAMPLE.read_text())
    machine["metadata"]["name"] = name
    machine["spec"].update(spec)
    return yaml.safe_dump(machine)


def _left(bed: Testbed) -> dict[str, list[str]]:
    """All traces of VMs in the API and on the nodes."""
    listed = bed.kubectl("get", "vfvm,gpart,resourceclaims,pods", "-o", "name").split()
    traces = {"api": listed}
    for node in bed.nodes():
        paths = "/var/run/cdi /var/run/libvf/metadata /var/lib/libvf/journal"
        files = node.execute(["sh", "-c", f"find {paths} -mindepth 1 -not -name '*lock*'"]).stdout.decode().split()
        traces[node.name] = [*files, *mdevs(node), *qemus(node).values()]
    return {place: found for place, found in traces.items() if found}


def _until_nothing_left(bed: Testbed, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while (left := _left(bed)) and time.monotonic() < deadline:
        time.sleep(1)
    assert not left


def test_ten_times_from_apply_to_nothing_left(bed: Testbed) -> None:
    # a guest that still boots does not hear the power button: a short grace keeps the ten rounds short
    hasty = _machine("demo", terminationGracePeriodSeconds=4)
    for _ in range(10):
        bed.kubectl("apply", "-f", "-", stdin=hasty)
        wait_ready(bed, "demo")
        assert sum(len(mdevs(node)) for node in bed.nodes()) == 1
        bed.kubectl("delete", "-f", str(EXAMPLE), "--wait")
        _until_nothing_left(bed)


def test_qemu_killed_comes_back_on_the_same_slice(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", str(EXAMPLE))
    wait_ready(bed, "demo")
    node = bed.node(get(bed, "pod", "demo")["spec"]["nodeName"])
    before = mdevs(node)
    node.execute(["kill", "-9", *map(str, qemus(node))])
    time.sleep(3)
    wait_ready(bed, "demo")
    assert mdevs(node) == before
    assert len(qemus(node)) == 1
    ended = get(bed, "pod", "demo")["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert "SIGKILL" in ended["message"]


@pytest.fixture
def foreign(bed: Testbed) -> Iterator[str]:
    """A mdev that an administrator made by hand on every node."""
    uuid = "99999999-0000-4000-8000-000000000001"
    for node in bed.nodes():
        node.execute(["sh", "-c", f"echo {uuid} > /sys/class/mdev_bus/mdpy/mdev_supported_types/mdpy-xga/create"])
    yield uuid
    for node in bed.nodes():
        node.execute(["sh", "-c", f"echo 1 > /sys/bus/mdev/devices/{uuid}/remove"])


def test_a_mdev_of_somebody_else_is_never_used_counted_or_removed(bed: Testbed, foreign: str) -> None:
    bed.kubectl("apply", "-f", str(EXAMPLE))
    wait_ready(bed, "demo")
    used = get(bed, "gpart", "demo-gpu0")["status"]["devices"][0]["mdevUUID"]
    assert used != foreign
    bed.kubectl("delete", "-f", str(EXAMPLE), "--wait")
    _until_mdevs(bed, {foreign})
    assert all(mdevs(node) == [foreign] for node in bed.nodes())


def test_halted_gives_the_slice_back(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", str(EXAMPLE))
    wait_ready(bed, "demo")
    bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", '{"spec": {"runStrategy": "Halted"}}')
    bed.kubectl("wait", "--for=delete", "pod/demo", "--timeout=90s")
    _until_mdevs(bed, set())
    assert condition(get(bed, "vfvm", "demo"), "Ready")["reason"] == "Halted"


def _until_mdevs(bed: Testbed, expected: set[str], seconds: float = 120) -> None:
    """Wait until the nodes have just these; a guest may take its whole grace period to stop."""
    deadline, seen = time.monotonic() + seconds, {"not looked"}
    while seen != expected and time.monotonic() < deadline:
        seen = {uuid for node in bed.nodes() for uuid in mdevs(node)}
        time.sleep(1)
    assert seen == expected


def test_a_type_nobody_offers_is_explained(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", "-", stdin=_machine("wants", gpus=[{"name": "gpu0", "type": "nvidia-746"}]))
    deadline, message = time.monotonic() + 60, ""
    while "no card offers" not in message and time.monotonic() < deadline:
        message = condition(get(bed, "vfvm", "wants"), "Ready").get("message", "")
        time.sleep(1)
    assert "no card offers nvidia-746; offered are" in message


def test_the_launcher_is_admitted_where_restricted_is_enforced(bed: Testbed) -> None:
    bed.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    try:
        bed.kubectl("apply", "-f", str(EXAMPLE))
        wait_ready(bed, "demo")
    finally:
        bed.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce-")


def test_with_one_node_full_the_next_machine_runs_on_the_other(bed: Testbed) -> None:
    # a node's mdpy has four instances in all
    names = [f"vm{number}" for number in range(5)]
    small = {"memory": {"size": "128Mi"}, "disks": [], "cpu": {"cores": 1}}
    for name in names:
        bed.kubectl("apply", "-f", "-", stdin=_machine(name, **small))
    for name in names:
        wait_ready(bed, name)
    nodes = {get(bed, "pod", name)["spec"]["nodeName"] for name in names}
    assert nodes == {"n1", "n2"}


def _kill_pod_process(bed: Testbed, node: str, module: str) -> None:
    done = bed.node(node).execute(["pkill", "-9", "-f", f"python3 -m {module}"])
    assert done.returncode == 0, f"no {module} runs on {node}"


def test_kill_9_of_the_agent_while_it_carves_loses_and_doubles_nothing(bed: Testbed) -> None:
    for delay in (0.0, 0.5, 1.0, 2.0):
        bed.kubectl("apply", "-f", "-", stdin=_machine("demo", terminationGracePeriodSeconds=4))
        time.sleep(delay)
        for node in bed.nodes():
            _kill_pod_process(bed, node.name, "libvf_agent")
        wait_ready(bed, "demo")
        assert sum(len(mdevs(node)) for node in bed.nodes()) == 1
        bed.kubectl("delete", "vfvm", "demo", "--wait")
        _until_nothing_left(bed, 120)


def test_kill_9_of_the_operator_loses_nothing(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", "-", stdin=_machine("demo", terminationGracePeriodSeconds=4))
    operator = json.loads(bed.kubectl("-n", "libvf-system", "get", "pods", "-o", "json", "-l", OPERATOR))["items"][0]
    _kill_pod_process(bed, operator["spec"]["nodeName"], "libvf_operator")
    wait_ready(bed, "demo")
    assert sum(len(qemus(node)) for node in bed.nodes()) == 1


def test_a_power_cut_never_leads_to_a_second_qemu_and_heals_when_power_returns(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", str(EXAMPLE))
    wait_ready(bed, "demo")
    node = bed.node(get(bed, "pod", "demo")["spec"]["nodeName"])
    node.kill()
    _until_reason(bed, "demo", "NodeLost", 120)
    others = [other for other in bed.nodes() if other.name != node.name]
    assert not any(qemus(other) for other in others)
    bed.start(node.name)
    wait_ready(bed, "demo")
    assert sum(len(qemus(each)) for each in bed.nodes()) == 1
    assert sum(len(mdevs(each)) for each in bed.nodes()) == 1


def _until_reason(bed: Testbed, name: str, reason: str, seconds: float) -> None:
    deadline, seen = time.monotonic() + seconds, ""
    while seen != reason and time.monotonic() < deadline:
        seen = condition(get(bed, "vfvm", name), "Ready").get("reason", "")
        time.sleep(1)
    assert seen == reason
