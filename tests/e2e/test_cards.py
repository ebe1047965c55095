"""Every way of carving on the node's own kernel: mediated devices of three drivers, virtual functions, a whole card."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab.cards import DISPLAY, NVME, USB
from lab.demo import get, wait_ready
from lab.inspect_node import mdevs, qemus
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, apply, left, ready, until, until_reason
from tests.e2e.test_sharing import partition

pytestmark = pytest.mark.e2e


@pytest.fixture
def cards(bed: Testbed) -> Iterator[Testbed]:
    """Policies that cut the disk into two functions, and take the display card from the host."""
    disk = {"cards": {"addresses": [NVME]}, "modes": ["VirtualFunction"], "virtualFunctions": {"count": 2}}
    display = {"cards": {"addresses": [DISPLAY]}, "modes": ["Passthrough"], "takeFromHost": True}
    for name, spec in (("disk", disk), ("display", display)):
        bed.kubectl("apply", "-f", "-", stdin=policy(name, spec))
    yield bed
    bed.kubectl("delete", "vfvm,gpart,pods", "--all", "--wait", "--timeout=180s")
    bed.kubectl("delete", "gpol", "--all", "--wait")


def policy(name: str, spec: dict[str, Any]) -> str:
    meta = {"name": name}
    return yaml.safe_dump({"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": meta, "spec": spec})


def on_node(bed: Testbed, script: str) -> list[str]:
    return bed.node("n1").execute(["sh", "-c", script]).stdout.decode().split()


def driver(bed: Testbed, address: str) -> list[str]:
    return on_node(bed, f"basename $(readlink /sys/bus/pci/devices/{address}/driver)")


def status(bed: Testbed, name: str) -> dict[str, Any]:
    [device] = get(bed, "gpart", name)["status"]["devices"]
    return dict(device)


@pytest.mark.parametrize("kind", ["mbochs-medium", pytest.param("mtty-2", marks=pytest.mark.long)])
def test_a_machine_runs_on_a_mediated_device_of(bed: Testbed, kind: str) -> None:
    apply(bed, **SMALL, gpus=[{"name": "gpu0", "type": kind}])
    wait_ready(bed, "demo")
    assert status(bed, "demo-gpu0")["type"] == kind
    [uuid] = mdevs(bed.node("n1"))
    [argv] = qemus(bed.node("n1")).values()
    assert uuid in argv


def test_a_machine_runs_on_a_virtual_function_and_nothing_of_it_is_left(cards: Testbed) -> None:
    apply(cards, **SMALL, gpus=[{"name": "gpu0", "type": "1b36-vf"}])
    wait_ready(cards, "demo")
    device = status(cards, "demo-gpu0")
    [argv] = qemus(cards.node("n1")).values()
    assert f"host={device['pciAddress']}" in argv
    assert (device["parent"], device["mode"]) == (NVME, "VirtualFunction")
    assert driver(cards, device["pciAddress"]) == ["vfio-pci"]
    assert on_node(cards, f"cat /sys/bus/pci/devices/{NVME}/sriov_numvfs") == ["2"]
    cards.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(cards), {})
    assert on_node(cards, f"cat /sys/bus/pci/devices/{NVME}/sriov_numvfs") == ["0"]
    assert driver(cards, NVME) == ["nvme"]


def test_a_machine_runs_on_a_whole_card_and_the_host_gets_it_back(cards: Testbed) -> None:
    assert [driver(cards, address) for address in (DISPLAY, USB)] == [["bochs-drm"], ["xhci_hcd"]]
    apply(cards, **SMALL, gpus=[{"name": "gpu0", "type": "1234-whole"}])
    wait_ready(cards, "demo")
    assert status(cards, "demo-gpu0")["mode"] == "Passthrough"
    [argv] = qemus(cards.node("n1")).values()
    assert all(f"host={address}" in argv for address in (DISPLAY, USB))
    assert [driver(cards, address) for address in (DISPLAY, USB)] == [["vfio-pci"], ["vfio-pci"]]
    cards.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(cards), {})
    assert [driver(cards, address) for address in (DISPLAY, USB)] == [["bochs-drm"], ["xhci_hcd"]]


@pytest.mark.long
def test_sizes_share_a_card_until_it_is_full_and_the_one_that_waits_gets_what_is_given_back(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", "-", stdin=partition("most", type="mbochs-large", count=3))
    apply(bed, "large", **SMALL, gpus=[{"name": "gpu0", "partitionRef": "most"}])
    apply(bed, "small", **SMALL, gpus=[{"name": "gpu0", "type": "mbochs-small"}])
    wait_ready(bed, "large")
    wait_ready(bed, "small")
    assert len(mdevs(bed.node("n1"))) == 4
    apply(bed, "waits", **SMALL, gpus=[{"name": "gpu0", "type": "mbochs-large"}])
    until_reason(bed, "waits", "Unschedulable")
    assert "mbochs" in ready(bed, "waits")["message"]
    bed.kubectl("delete", "vfvm", "small", "--wait")
    wait_ready(bed, "waits")
