"""Two nodes: where machines go when one is full, drained or dead."""

from collections.abc import Iterator

import pytest

from lab.demo import get, wait_ready
from lab.errors import LabError
from lab.inspect_node import mdevs, qemus
from lab.testbed import REPOSITORY, Testbed
from tests.e2e.machines import SMALL, all_mdevs, all_qemus, apply, left, until, until_reason

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("two_nodes")]

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
def foreign(bed: Testbed) -> Iterator[set[str]]:
    """Devices that an administrator made by hand: three of the first node's four, and one of the second's."""
    made = {f"99999999-0000-4000-8000-00000000000{number}": "n2" if number == 3 else "n1" for number in range(4)}
    for uuid, node in made.items():
        create = f"echo {uuid} > /sys/class/mdev_bus/mdpy/mdev_supported_types/mdpy-xga/create"
        assert bed.node(node).execute(["sh", "-c", create]).returncode == 0
    yield set(made)
    for uuid, node in made.items():
        bed.node(node).execute(["sh", "-c", f"echo 1 > /sys/bus/mdev/devices/{uuid}/remove"])


def test_with_a_node_full_the_next_machine_waits_and_runs_on_the_other_when_it_may(
    bed: Testbed, foreign: set[str]
) -> None:
    bed.kubectl("cordon", "n2")
    try:
        apply(bed, "first", **SMALL)
        wait_ready(bed, "first")
        assert len(mdevs(bed.node("n1"))) == 4
        apply(bed, "second", **SMALL)
        assert "mdpy-xga has" in until_reason(bed, "second", "Unschedulable")
    finally:
        bed.kubectl("uncordon", "n2")
    wait_ready(bed, "second")
    assert get(bed, "pod", "second")["spec"]["nodeName"] == "n2"
    used = {get(bed, "gpart", f"{name}-gpu0")["status"]["devices"][0]["mdevUUID"] for name in ("first", "second")}
    assert not used & foreign
    assert used | foreign == all_mdevs(bed)
    bed.kubectl("delete", "vfvm", "--all", "--wait")
    until(lambda: all_mdevs(bed), foreign)


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
    assert OUT_OF_SERVICE in until_reason(bed, "demo", "NodeLost")
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
    until(lambda: left(bed), {})
