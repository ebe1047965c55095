"""What a guest is told and what it tells, all the way: Secret, seed, guest, port, launcher, agent, claim, status."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.demo import get, wait_ready
from lab.testbed import Testbed
from tests.e2e.machines import HASTY, apply, left, ready, until

pytestmark = pytest.mark.e2e

USER_DATA = b"#cloud-config of this run\n"


@pytest.fixture
def secret(bed: Testbed) -> Iterator[Callable[[], None]]:
    """Makes the Secret that the machine waits for, when it is called."""

    def make() -> None:
        data = {"user-data": base64.b64encode(USER_DATA).decode()}
        document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "seed"}, "data": data}
        bed.kubectl("apply", "-f", "-", stdin=json.dumps(document))

    yield make
    bed.kubectl("delete", "secret", "seed", "--ignore-not-found")


def test_a_missing_secret_is_told_and_then_the_guest_reads_it_and_says_who_it_is(
    bed: Testbed, secret: Callable[[], None]
) -> None:
    apply(bed, **HASTY, cloudInit={"secretName": "seed"})
    missing = "spec.cloudInit: Secret seed is not there or empty, and needs user-data"
    until(lambda: missing in ready(bed, "demo").get("message", ""), True, 120)
    secret()
    wait_ready(bed, "demo")
    until(lambda: _guest(bed).get("hostname"), "demo", 180)
    assert _guest(bed)["os"] == "libvf guest"
    assert _guest(bed)["addresses"] == ["192.0.2.7"]
    log = bed.kubectl("logs", "demo")
    assert f"libvf-guest: told {USER_DATA.decode().strip()}" in log
    assert USER_DATA.decode().strip() not in json.dumps(get(bed, "pod", "demo"))
    bed.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(bed), {}, 60)


def _guest(bed: Testbed) -> dict[str, Any]:
    return dict(get(bed, "vfvm", "demo").get("status", {}).get("guest", {}))
