"""Stopping is graceful: what a guest has mounted is clean afterwards, and a guest that does not hear is told of."""

import json
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.demo import get, wait_ready
from lab.inspect_node import qemus
from lab.node import Node
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, apply, until

pytestmark = pytest.mark.e2e

IMAGE = "/srv/busy.img"
BUSY = {
    "disks": [
        {"name": "root", "image": {"reference": "libvf.io/demo-guest:dev"}},
        {"name": "busy", "hostPath": {"path": IMAGE}},
    ],
    "firmware": {"oemStrings": ["libvf.busy=yes"]},
}
CLEAN, NEEDS_RECOVERY = 1, 4  # s_state and s_feature_incompat of ext4's superblock


@pytest.fixture
def node(bed: Testbed, tmp_path: Path) -> Iterator[Node]:
    """A node with an ext4 filesystem in a file."""
    node, image = bed.node("n1"), tmp_path / "busy.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", image, "16M"], check=True)
    done = node.execute(["sh", "-c", f"cat > {IMAGE} && chown 107:107 {IMAGE}"], stdin=image.read_bytes())
    assert done.returncode == 0, done.stderr
    yield node
    node.execute(["rm", "-f", IMAGE])


def clean(node: Node) -> bool:
    """Whether the filesystem was unmounted, by its superblock, which begins at byte 1024."""
    block = node.execute(["dd", f"if={IMAGE}", "bs=1024", "skip=1", "count=1"]).stdout
    (state,), (incompatible,) = struct.unpack_from("<H", block, 0x3A), struct.unpack_from("<I", block, 0x60)
    return state == CLEAN and not incompatible & NEEDS_RECOVERY


def until_busy(bed: Testbed, node: Node) -> None:
    """The guest writes, and the filesystem shows it."""
    wait_ready(bed, "demo")
    until(lambda: "libvf-guest: busy" in bed.kubectl("logs", "demo"), True)
    until(lambda: clean(node), False)


def last_run(bed: Testbed) -> str | None:
    """Why the machine's last run ended."""
    reason: str | None = get(bed, "vfvm", "demo")["status"].get("lastRun", {}).get("reason")
    return reason


@pytest.mark.long
def test_a_busy_guest_lives_through_an_operator_upgrade_and_is_clean_after_a_drain_and_a_stop(
    bed: Testbed, node: Node
) -> None:
    apply(bed, **BUSY)
    until_busy(bed, node)
    before = qemus(node)

    operator = ("deployment/libvf-operator", "-n", "libvf-system")
    bed.kubectl("rollout", "restart", *operator)
    bed.kubectl("rollout", "status", *operator, "--timeout=120s")
    assert qemus(node) == before

    try:
        bed.kubectl("drain", "n1", "--pod-selector=libvf.io/machine", "--delete-emptydir-data", "--timeout=60s")
        assert clean(node)
        until(lambda: last_run(bed), "Stopped")
    finally:
        bed.kubectl("uncordon", "n1")
    until_busy(bed, node)

    bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", json.dumps({"spec": {"runStrategy": "Halted"}}))
    until(lambda: qemus(node), {})
    assert clean(node)


def test_a_guest_that_does_not_hear_is_ended_after_its_grace_period_and_that_is_told(bed: Testbed) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", json.dumps({"spec": {"runStrategy": "Halted"}}))
    until(lambda: last_run(bed), "Killed")
    uid = get(bed, "vfvm", "demo")["metadata"]["uid"]
    until(lambda: [event["type"] for event in killed(bed, uid)], ["Warning"])  # it comes just after the status
    assert "did not shut down within its grace period" in killed(bed, uid)[0]["message"]


def killed(bed: Testbed, uid: str) -> list[dict[str, Any]]:
    """What Events say of a machine's end."""
    return [e for e in bed.api.list("event") if e["reason"] == "Killed" and e["involvedObject"]["uid"] == uid]
