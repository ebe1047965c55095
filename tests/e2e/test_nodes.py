"""Two nodes: where machines go when one is full, drained or dead."""

from collections.abc import Iterator

import pytest

from lab.demo import get, wait_ready
from lab.errors import LabError
from lab.inspect_node import mdevs, qemus
from lab.testbed import REPOSITORY, Testbed
from tests.e2e.machines import SMALL, all_mdevs, all_qemus, apply, left, ready, until, until_reason

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("two_nodes")]

KEEP = REPOSITORY / "examples" / "never-evict.yaml"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def _on_n2(bed: Testbed) -> None:
    """A machine on the second node: the operator is on the first."""
    bed.kubectl("cordon", "n1")
    try:
        apply(bed, **SMALL)
        wait_ready(bed, "demo")
    finally:
        bed.kubectl("uncordon", "n1")


@pytest.fixture
def foreign(bed: Testbed) -> Iterator[str]:
    """A mdev that an administrator made by hand on every node."""
    uuid = "99999999-0000-4000-8000-000000000001"
    for node in bed.nodes():
        node.execute(["sh", "-c", f"echo {uuid} > /sys/class/mdev_bus/mdpy/mdev_supported_types/mdpy-xga/create"])
    yield uuid
    for node in bed.nodes():
        node.execute(["sh", "-c", f"echo 1 > /sys/bus/mdev/devices/{uuid}/remove"])


def test_with_a_node_full_the_next_machine_waits_and_runs_on_the_other_when_it_may(bed: Testbed, foreign: str) -> None:
    # a node's mdpy has four instances, of which the foreign device takes one
    names = [f"vm{number}" for number in range(4)]
    bed.kubectl("cordon", "n2")
    try:
        for name in names:
            apply(bed, name, **SMALL)
        until(lambda: len(mdevs(bed.node("n1"))), 4, 120)
        until(lambda: sum(_running(bed, name) for name in names), 3, 60)
        [last] = [name for name in names if not _running(bed, name)]
        assert "mdpy-xga has" in until_reason(bed, last, "Unschedulable", 30)
    finally:
        bed.kubectl("uncordon", "n2")
    wait_ready(bed, last)
    assert get(bed, "pod", last)["spec"]["nodeName"] == "n2"
    used = {get(bed, "gpart", f"{name}-gpu0")["status"]["devices"][0]["mdevUUID"] for name in names}
    assert len(used) == 4
    assert used | {foreign} == all_mdevs(bed)
    bed.kubectl("delete", "vfvm", "--all", "--wait")
    until(lambda: all_mdevs(bed), {foreign}, 90)
    assert all(foreign in mdevs(node) for node in bed.nodes())


def _running(bed: Testbed, name: str) -> bool:
    return ready(bed, name).get("status") == "True"


def test_draining_a_node_moves_the_machine_unless_a_disruption_budget_keeps_it(bed: Testbed) -> None:
    _on_n2(bed)
    drain = ("drain", "n2", "--ignore-daemonsets", "--delete-emptydir-data", "--pod-selector=libvf.io/machine")
    bed.kubectl("apply", "-f", str(KEEP))
    try:
        with pytest.raises(LabError, match="violate the pod's disruption budget"):
            bed.kubectl(*drain, "--timeout=3s")
        bed.kubectl("delete", "-f", str(KEEP))
        bed.kubectl(*drain, "--timeout=60s")
        wait_ready(bed, "demo")
        assert get(bed, "pod", "demo")["spec"]["nodeName"] == "n1"
    finally:
        bed.kubectl("uncordon", "n2")
        bed.kubectl("delete", "-f", str(KEEP), "--ignore-not-found")


def test_a_power_cut_never_leads_to_a_second_qemu_until_the_node_is_said_to_be_off(bed: Testbed) -> None:
    _on_n2(bed)
    bed.node("n2").kill()
    assert OUT_OF_SERVICE in until_reason(bed, "demo", "NodeLost", 120)
    # what the taint manager does after its five minutes
    bed.kubectl("delete", "pod", "demo", "--wait=false")
    until_reason(bed, "demo", "NodeLost", 5)
    assert qemus(bed.node("n1")) == {}
    bed.kubectl("taint", "node", "n2", f"{OUT_OF_SERVICE}=nodeshutdown:NoExecute")
    try:
        wait_ready(bed, "demo")
        assert get(bed, "pod", "demo")["spec"]["nodeName"] == "n1"
    finally:
        bed.start("n2")
        bed.wait_ready(["n2"])
        bed.kubectl("taint", "node", "n2", f"{OUT_OF_SERVICE}-")
    assert (all_qemus(bed), len(all_mdevs(bed))) == (1, 1)
    bed.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(bed), {}, 120)
