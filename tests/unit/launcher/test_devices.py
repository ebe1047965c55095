"""What the launcher reads of vsocks and USB devices, from the files that the agent writes."""

from pathlib import Path

import pytest
from libvf_agent.journal import Entry, Phase, Slice
from libvf_agent.metadata import stream
from libvf_agent.steps import Facts
from libvf_api import metadata
from libvf_api.launch import HostDevice, Launch
from libvf_api.v1alpha1 import Memory, VirtualMachineSpec
from libvf_launcher import devices
from libvf_launcher.errors import DeviceMissing
from libvf_launcher.paths import Paths

VSOCK = HostDevice("vsock", "vsock", "desk-vsock", "vsock")
RADIO = HostDevice("usb", "usb-radio", "desk-usb-radio", "usb")
NODE = "/dev/bus/usb/001/005"


def read(root: Path, wanted: HostDevice, facts: Facts) -> devices.Devices:
    """As the launcher reads a claim with these facts."""
    piece = Slice(wanted.request, "n1-pool", "one", facts=facts)
    entry = Entry("u", "lab", wanted.claim, "boot", Phase.COMPLETED, (piece,))
    file = metadata.path(wanted.claim, wanted.request, root)
    file.parent.mkdir(parents=True)
    file.write_bytes(stream(entry, wanted.request))
    launch = Launch("desk", "lab", "u", VirtualMachineSpec(memory=Memory(size="64Mi")), devices=[wanted])
    return devices.read(launch, Paths(root))


def test_a_vsock_has_the_number_that_the_agent_allotted(tmp_path: Path) -> None:
    assert read(tmp_path, VSOCK, {"vsockCid": 1 << 30}).vsock == 1 << 30


def test_an_agent_that_allots_no_number_is_to_be_updated(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match="update the agent"):
        read(tmp_path, VSOCK, {})


def test_a_usb_device_is_its_node(tmp_path: Path) -> None:
    (tmp_path / NODE[1:]).parent.mkdir(parents=True)
    (tmp_path / NODE[1:]).touch()
    assert read(tmp_path, RADIO, {"device": "0bda:2838", "usbNode": NODE}).usb == (("usb-radio", NODE),)


def test_a_node_that_did_not_come_into_the_pod_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match=f"promises {NODE} and this Pod has none"):
        read(tmp_path, RADIO, {"device": "0bda:2838", "usbNode": NODE})
