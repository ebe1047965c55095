"""A policy on a node's real card: what it allows is offered, and what is in use is left alone until it goes."""

from collections.abc import Iterator

import pytest
import yaml

from lab.demo import condition, get, wait_ready
from lab.inspect_node import mdevs
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, apply, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def policy(bed: Testbed) -> Iterator[str]:
    """A policy under which mdpy is cut into its largest type only."""
    meta, spec = {"name": "large"}, {"cards": {"addresses": ["mdpy"]}, "types": ["mdpy-hd"]}
    document = {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": meta, "spec": spec}
    yield yaml.safe_dump(document)
    bed.kubectl("delete", "gpol", "--all", "--wait")


def test_a_machine_keeps_its_slice_when_a_policy_allows_it_no_more_and_the_policy_waits_for_it(
    bed: Testbed, policy: str
) -> None:
    apply(bed, **SMALL)
    wait_ready(bed, "demo")
    before = mdevs(bed.node("n1"))
    bed.kubectl("apply", "-f", "-", stdin=policy)
    until(lambda: condition(get(bed, "gpol", "large"), "Ready").get("reason"), "Waiting")
    told = condition(get(bed, "gpol", "large"), "Ready")["message"]
    assert "waits for default/demo-gpu0 on n1 mdpy: 1 mediated device in use" in told
    assert mdevs(bed.node("n1")) == before
    bed.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: condition(get(bed, "gpol", "large"), "Ready").get("reason"), "InForce")
