"""A virtual machine's life on a real kernel: from apply to nothing left. LIBVF_ROUNDS says how often in a row."""

import os
import time

import pytest

from lab.demo import get, wait_ready
from lab.inspect_node import mdevs, qemus
from lab.testbed import Testbed
from tests.e2e.machines import (
    EXAMPLE,
    HASTY,
    SMALL,
    all_mdevs,
    apply,
    declared,
    left,
    ready,
    until,
    until_reason,
)  # fmt: skip

pytestmark = pytest.mark.e2e

ROUNDS = int(os.environ.get("LIBVF_ROUNDS", "2"))


def test_again_and_again_from_apply_to_nothing_left(bed: Testbed) -> None:
    for _ in range(ROUNDS):
        apply(bed, **HASTY)
        wait_ready(bed, "demo")
        assert len(all_mdevs(bed)) == 1
        bed.kubectl("delete", "-f", str(EXAMPLE), "--wait")
        until(lambda: left(bed), {})


def test_qemu_killed_comes_back_on_the_same_slice_with_its_last_words_told(bed: Testbed) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    node = bed.node(get(bed, "pod", "demo")["spec"]["nodeName"])
    before = mdevs(node)
    node.execute(["kill", "-9", *map(str, qemus(node))])
    until(lambda: get(bed, "vfvm", "demo")["status"].get("guest", {}).get("restarts"), 1)
    wait_ready(bed, "demo")
    assert mdevs(node) == before
    assert len(qemus(node)) == 1
    events = bed.kubectl("events", "--for", "vfvm/demo")
    assert "QemuExited: QEMU was ended by SIGKILL" in events


@pytest.mark.long
def test_halted_gives_the_slice_back_and_always_takes_one_again(bed: Testbed) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", '{"spec": {"runStrategy": "Halted"}}')
    bed.kubectl("wait", "--for=delete", "pod/demo", "--timeout=90s")
    until(lambda: all_mdevs(bed), set())
    until_reason(bed, "demo", "Halted")
    bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", '{"spec": {"runStrategy": "Always"}}')
    wait_ready(bed, "demo")


@pytest.mark.long
def test_a_machine_that_waits_is_told_why_for_each_type_and_runs_when_its_spec_is_mended(bed: Testbed) -> None:
    apply(bed, **SMALL, gpus=[{"name": "gpu0", "type": "nvidia-746"}])
    message = until_reason(bed, "demo", "Unschedulable")
    assert "no card offers nvidia-746" in message
    assert "mdpy-xga is another type" in message
    apply(bed, **SMALL)
    wait_ready(bed, "demo")


def test_a_missing_image_is_told_and_the_machine_runs_when_it_is_named_right(bed: Testbed) -> None:
    apply(bed, **HASTY, disks=[{"name": "root", "image": {"reference": "libvf.io/no-such-guest:dev"}}])
    deadline = time.monotonic() + 90
    while not ready(bed, "demo").get("reason", "").startswith(("ErrImage", "ImagePull")):
        assert time.monotonic() < deadline, ready(bed, "demo")
        time.sleep(1)
    assert "libvf.io/no-such-guest:dev" in ready(bed, "demo")["message"]
    apply(bed, **HASTY)
    wait_ready(bed, "demo")


@pytest.mark.long
def test_a_quota_that_refuses_the_pod_is_told_and_lifted_without_a_restart(bed: Testbed) -> None:
    bed.kubectl("create", "quota", "none", "--hard=count/pods=0")
    try:
        apply(bed, **SMALL)
        assert "exceeded quota: none" in until_reason(bed, "demo", "Refused")
    finally:
        bed.kubectl("delete", "quota", "none")
    wait_ready(bed, "demo")


def test_the_launcher_is_admitted_where_restricted_is_enforced(bed: Testbed) -> None:
    bed.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    try:
        apply(bed, **SMALL)
        wait_ready(bed, "demo")
        refused = declared("privileged", disks=[{"name": "root", "hostPath": {"path": "/etc/hostname"}}])
        bed.kubectl("apply", "-f", "-", stdin=refused)
        assert "hostPath" in until_reason(bed, "privileged", "Refused")
    finally:
        bed.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce-")


@pytest.mark.long
def test_a_pod_of_somebody_else_with_the_machines_name_is_left_alone(bed: Testbed) -> None:
    bed.kubectl("run", "demo", "--image=libvf.io/pause:dev", "--image-pull-policy=Never", "--restart=Never")
    apply(bed, **SMALL)
    until_reason(bed, "demo", "Refused")
    assert "ownerReferences" not in get(bed, "pod", "demo")["metadata"]
    bed.kubectl("delete", "pod", "demo", "--grace-period=1")
    wait_ready(bed, "demo")
