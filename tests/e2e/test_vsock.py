"""A guest's vsock: an unprivileged QEMU has it, under a number that no other guest of its node has."""

from functools import partial

import pytest

from lab.demo import get, wait_ready
from lab.inspect_node import qemu_of
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, apply, left, until

pytestmark = pytest.mark.e2e


def has_number(bed: Testbed, name: str) -> bool:
    return bool(get(bed, "vfvm", name)["status"].get("vsockCid"))


@pytest.mark.long
def test_two_guests_of_a_node_have_vsocks_of_their_own(bed: Testbed) -> None:
    numbers = set()
    for name in ("demo", "other"):
        apply(bed, name, **SMALL, gpus=[], network={"mode": "None", "vsock": True})
    for name in ("demo", "other"):
        wait_ready(bed, name)
        until(partial(has_number, bed, name), True)
        thing = get(bed, "vfvm", name)
        node = next(one for one in bed.nodes() if one.name == thing["status"]["node"])
        process = qemu_of(node, thing["metadata"]["uid"])
        assert (process.uid, int(process.capabilities, 16)) == (107, 0)
        script = f"tr '\\0' '\\n' < /proc/{process.pid}/cmdline; ls -l /proc/{process.pid}/fd"
        seen = node.execute(["sh", "-c", script]).stdout.decode()
        assert f"guest-cid={thing['status']['vsockCid']}" in seen
        assert "/dev/vhost-vsock" in seen
        numbers.add((node.name, thing["status"]["vsockCid"]))
    assert len(numbers) == 2
    bed.kubectl("delete", "vfvm", "demo", "other", "--wait")
    until(lambda: left(bed), {})
