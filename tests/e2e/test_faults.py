"""kill -9 and power cuts: the machine is Ready again by itself, never on two devices, never twice."""

import json
import subprocess

import pytest

from lab.demo import get, wait_ready
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, all_mdevs, all_qemus, apply, left, until

pytestmark = pytest.mark.e2e

OPERATOR = "app.kubernetes.io/name=libvf-operator"
JOURNAL = "/var/lib/libvf/journal/*.json"
# what is on the node at the moment of the kill, in the shell's own tests: a fork would come too late
MOMENTS = {
    "the carving is recorded": f'set -- {JOURNAL}; [ -e "$1" ]',
    "the device is made": 'set -- /sys/bus/mdev/devices/*; [ -e "$1" ]',
    "the CDI file is written": 'set -- /var/run/cdi/libvf.io-*; [ -e "$1" ]',
}
FIRST = next(iter(MOMENTS))


def _trap(bed: Testbed, node: str, condition: str) -> subprocess.Popen[bytes]:
    """On the node, kill -9 the agent at the first moment when the condition holds."""
    script = (
        "pid=$(pgrep -o -f 'python3 -m libvf_agent'); echo armed; "
        f"while :; do {condition} && break; done; kill -9 $pid; cat {JOURNAL} 2>/dev/null || true"
    )
    trap = subprocess.Popen(bed.node(node).ssh(["sh", "-c", script]), stdout=subprocess.PIPE)
    assert trap.stdout is not None
    assert trap.stdout.readline() == b"armed\n"
    return trap


@pytest.mark.parametrize(
    "moment", [pytest.param(each, marks=() if each == FIRST else pytest.mark.long) for each in MOMENTS]
)
def test_kill_9_of_the_agent_while_it_carves_loses_and_doubles_nothing(bed: Testbed, moment: str) -> None:
    trap = _trap(bed, "n1", MOMENTS[moment])
    apply(bed, **SMALL)
    assert trap.wait(60) == 0
    wait_ready(bed, "demo")
    assert len(all_mdevs(bed)) == 1
    bed.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(bed), {})


@pytest.mark.long
def test_kill_9_of_the_agent_while_it_gives_back_leaves_nothing(bed: Testbed) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    trap = _trap(bed, "n1", f'read -r entry < $(echo {JOURNAL}) && [ "${{entry#*undoing}}" != "$entry" ]')
    bed.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(bed), {})
    trap.kill()


@pytest.mark.long
def test_kill_9_of_the_operator_loses_nothing(bed: Testbed) -> None:
    apply(bed, **SMALL)
    operator = json.loads(bed.kubectl("-n", "libvf-system", "get", "pods", "-o", "json", "-l", OPERATOR))["items"][0]
    done = bed.node(operator["spec"]["nodeName"]).execute(["pkill", "-9", "-f", "python3 -m libvf_operator"])
    assert done.returncode == 0
    wait_ready(bed, "demo")
    assert all_qemus(bed) == 1


@pytest.mark.long
def test_a_node_that_comes_back_after_a_power_cut_runs_its_machine_again_on_a_slice_carved_anew(bed: Testbed) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    node = bed.node(get(bed, "pod", "demo")["spec"]["nodeName"])
    pod = get(bed, "pod", "demo")["metadata"]["uid"]
    node.kill()
    bed.start(node.name)
    until(lambda: get(bed, "vfvm", "demo")["status"].get("guest", {}).get("restarts", 0) > 0, True, 420)
    wait_ready(bed, "demo")
    assert get(bed, "pod", "demo")["metadata"]["uid"] == pod
    assert (all_qemus(bed), len(all_mdevs(bed))) == (1, 1)
