"""A function of the node's network card for a machine: its address, its QEMU, and that nothing of it is left."""

import re
from collections.abc import Iterator

import pytest
import yaml

from lab.cards import IGB
from lab.demo import get, wait_ready
from lab.inspect_node import qemus
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, documents, example, left, until
from tests.e2e.test_cards import driver, on_node

pytestmark = pytest.mark.e2e

MAC = "52:54:00:12:34:56"
LINK = f"$(ls /sys/bus/pci/devices/{IGB}/net)"


@pytest.fixture
def network(bed: Testbed) -> Iterator[Testbed]:
    """The example nic: its policy cuts the network card into two functions."""
    yield bed
    bed.kubectl("delete", "vfvm,pods", "--all", "--wait", "--timeout=180s")
    bed.kubectl("delete", "gpol", "--all", "--wait")


def addresses(bed: Testbed) -> dict[int, str]:
    """Of the card's functions, as its own driver tells them."""
    words = " ".join(on_node(bed, f"ip -details link show dev {LINK}"))
    return {int(number): mac for number, mac in re.findall(r"\bvf (\d+) link/ether (\S+)", words)}


def test_a_machine_has_a_function_with_its_address_and_nothing_of_it_is_left(network: Testbed) -> None:
    declared = [next(d for d in documents("nic") if d["kind"] == "GpuPolicy"), example("nic", **SMALL)]
    network.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(declared))
    wait_ready(network, "demo")
    [device] = get(network, "resourceclaim", "demo-nic-fast")["status"]["devices"]
    assert (device["data"]["parent"], device["networkData"]) == (IGB, {"hardwareAddress": MAC})
    function = device["data"]["pciAddress"]
    assert driver(network, function) == ["vfio-pci"]
    [argv] = qemus(network.node("n1")).values()
    assert f"vfio-pci,host={function},id=nic-fast" in argv
    numbers = on_node(network, f"cd /sys/bus/pci/devices/{IGB} && readlink virtfn0 virtfn1")
    given = next(number for number, place in enumerate(numbers) if place.endswith(function))
    assert addresses(network) == {given: MAC, 1 - given: "00:00:00:00:00:00"}
    network.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(network), {})
    assert on_node(network, f"cat /sys/bus/pci/devices/{IGB}/sriov_numvfs") == ["0"]
    assert addresses(network) == {}
    assert driver(network, IGB) == ["igb"]
