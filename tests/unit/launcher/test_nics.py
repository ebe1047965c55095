"""Functions of network cards, from what the agent writes into the container to what QEMU is told."""

import json
from pathlib import Path

import pytest
from libvf_agent import metadata
from libvf_agent.journal import Entry, Phase, Slice
from libvf_agent.steps import Facts
from libvf_api import launch
from libvf_launcher import devices, nics
from libvf_launcher.errors import DeviceMissing
from libvf_launcher.paths import Paths

FUNCTION: Facts = {"kind": "nic", "pciAddress": "0000:02:10.0", "iommuGroup": 20, "mac": "52:54:00:12:34:56"}


def prepared(root: Path, claim: str, facts: Facts) -> None:
    """The agent's file for the claim, where its CDI entry puts it."""
    piece = Slice("nic", "n1-0000-02-00-0", "vf-0", facts=facts)
    entry = Entry("uid", "ns", claim, "boot", Phase.COMPLETED, (piece,))
    folder = root / "var/run/kubernetes.io/dra-device-attributes/resourceclaims" / claim / "nic"
    folder.mkdir(parents=True)
    (folder / "libvf.io-metadata.json").write_bytes(metadata.stream(entry, "nic"))


def machine(*names: str) -> launch.Launch:
    listed = [{"kind": "nic", "name": f"nic-{n}", "claim": f"vm-nic-{n}", "request": "nic"} for n in names]
    spec = {"memory": {"size": "1Gi"}, "nics": [{"name": name} for name in names]}
    return launch.decode(json.dumps({"name": "vm", "namespace": "ns", "uid": "u", "spec": spec, "devices": listed}))


def test_each_function_has_a_root_port_of_its_own_in_the_order_of_the_spec(tmp_path: Path) -> None:
    prepared(tmp_path, "vm-nic-slow", {**FUNCTION, "pciAddress": "0000:02:10.2"})
    prepared(tmp_path, "vm-nic-fast", FUNCTION)
    found = devices.read(machine("slow", "fast"), Paths(root=tmp_path))
    assert list(nics.arguments(found)) == [
        *("-device", "pcie-root-port,id=nicport1,chassis=65,slot=65"),
        *("-device", "vfio-pci,host=0000:02:10.2,id=nic-slow,bus=nicport1"),
        *("-device", "pcie-root-port,id=nicport2,chassis=66,slot=66"),
        *("-device", "vfio-pci,host=0000:02:10.0,id=nic-fast,bus=nicport2"),
    ]


def test_a_claim_that_brought_no_function_is_told(tmp_path: Path) -> None:
    prepared(tmp_path, "vm-nic-fast", {"kind": "nic"})
    with pytest.raises(DeviceMissing, match="claim vm-nic-fast has no network function"):
        devices.read(machine("fast"), Paths(root=tmp_path))


def test_a_claim_that_was_not_prepared_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match="vm-nic-fast"):
        devices.read(machine("fast"), Paths(root=tmp_path))
