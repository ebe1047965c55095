"""What a guest is told and what it tells, all the way: Secret, seed, guest, port, launcher, agent, claim, status."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from lab.demo import get, wait_ready
from lab.testbed import Testbed
from tests.e2e.machines import HASTY, documents, left, ready, until

pytestmark = pytest.mark.e2e

SECRET, MACHINE = documents("cloud-init")
FIRST_LINE = "libvf-guest: told #cloud-config"


@pytest.fixture
def secret(bed: Testbed) -> Iterator[Callable[[], None]]:
    """Makes the Secret that the machine waits for, when it is called."""
    yield lambda: _apply(bed, SECRET)
    bed.kubectl("delete", "secret", SECRET["metadata"]["name"], "--ignore-not-found")


@pytest.mark.long
def test_a_missing_secret_is_told_and_then_the_guest_reads_it_and_says_who_it_is(
    bed: Testbed, secret: Callable[[], None]
) -> None:
    _apply(bed, {**MACHINE, "spec": {**MACHINE["spec"], **HASTY}})
    missing = "spec.cloudInit: Secret web-seed is not there or empty, and needs user-data"
    until(lambda: missing in ready(bed, "web").get("message", ""), True)
    secret()
    wait_ready(bed, "web")
    until(lambda: _guest(bed).get("hostname"), "web")
    assert _guest(bed)["os"] == "libvf guest"
    assert _guest(bed)["addresses"] == ["192.0.2.7"]
    assert FIRST_LINE in bed.kubectl("logs", "web")
    assert "ssh-ed25519" not in json.dumps(get(bed, "pod", "web"))
    bed.kubectl("delete", "vfvm", "web", "--wait")
    until(lambda: left(bed), {})


def _apply(bed: Testbed, document: dict[str, Any]) -> None:
    bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(document))


def _guest(bed: Testbed) -> dict[str, Any]:
    return dict(get(bed, "vfvm", "web").get("status", {}).get("guest", {}))
