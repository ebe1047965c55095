"""The QEMU command line for each kind of machine, held by golden files.

Renew them with LIBVF_RENEW=1; the diff is the review.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from libvf_api import launch
from libvf_launcher.cell import Cell
from libvf_launcher.command_line import command_line
from libvf_launcher.devices import Devices, Nic, VfioDevice
from libvf_launcher.errors import DeviceMissing
from libvf_launcher.paths import Paths

GOLDEN = Path(__file__).parent / "golden"
UUID = "9c7d2a14-6f0e-5b67-8f0b-2a6c1d3e4f50"
MDEV = Devices((VfioDevice("gpu0", mdev=UUID, display=True),), accelerated=True)
BLIND = Devices((VfioDevice("gpu0", mdev=UUID),), accelerated=True)
WHOLE = Devices((VfioDevice("a", pci="0000:65:00.0", beside=("0000:65:00.1",), bar_bytes=(16 << 30) + 1),), True)
PLAIN = Devices((), accelerated=True)
SLOW = Devices((), accelerated=False)
VIRTUAL = Devices((), accelerated=True, virtual=("gpu0",))
TWO = Devices((VfioDevice("a", mdev=UUID), VfioDevice("b", pci="0000:65:00.1")), True)
SEEN = (VfioDevice("c", mdev=UUID, display=True), VfioDevice("d", mdev=UUID[::-1], display=True))
NICS = (Nic("nic-fast", "0000:02:10.0"), Nic("nic-other", "0000:02:10.2"))
THREE = Devices((*TWO.vfio[1:], *SEEN), accelerated=True)

CASES: dict[str, tuple[dict[str, Any], Devices]] = {
    "accelerated": ({"gpus": [{"name": "gpu0"}]}, MDEV),
    "a-gpu-without-a-screen": ({"gpus": [{"name": "gpu0"}]}, BLIND),
    "several-screens": ({"gpus": [{"name": "b"}, {"name": "c"}, {"name": "d"}]}, THREE),
    "safe": ({"gpus": [{"name": "gpu0"}], "graphics": {"mode": "Safe"}}, MDEV),
    "safe-with-a-virtual-gpu": ({"gpus": [{"name": "gpu0"}], "graphics": {"mode": "Safe"}}, VIRTUAL),
    "virtual-gpu": ({"gpus": [{"name": "gpu0"}], "graphics": {"fallback": "VirtioGpu"}}, VIRTUAL),
    "spice": ({"display": ["vnc", "spice"], "audio": "spice"}, PLAIN),
    "sound-by-spice-alone": ({"display": [], "audio": "spice"}, PLAIN),
    "looking-glass": (
        {"display": ["spice", "lookingGlass"], "lookingGlass": {"resolution": "1920x1080"}, "audio": "scream"},
        Devices((VfioDevice("a", pci="0000:65:00.0"),), accelerated=True),
    ),
    "looking-glass-beside-vnc": ({"display": ["vnc", "lookingGlass"]}, WHOLE),
    "headless-with-looking-glass": ({"graphics": {"mode": "Headless"}, "display": ["lookingGlass"]}, WHOLE),
    "usb": (
        {"usb": [{"name": "radio", "device": "0bda:2838"}, {"name": "key", "device": "1050:0407"}]},
        Devices((), True, usb=(("usb-radio", "/dev/bus/usb/001/005"), ("usb-key", "/dev/bus/usb/003/002"))),
    ),
    "vsock": ({"network": {"mode": "None", "vsock": True}}, Devices((), accelerated=True, vsock=1234567890)),
    "headless": ({"graphics": {"mode": "Headless"}}, MDEV),
    "disabled": ({"graphics": {"mode": "Disabled"}}, PLAIN),
    "two-functions": ({}, TWO),
    "network-functions": (
        {"gpus": [{"name": "gpu0"}], "nics": [{"name": "fast"}, {"name": "other"}]},
        Devices(MDEV.vfio, accelerated=True, nics=NICS),
    ),
    "whole-card": ({"gpus": [{"name": "gpu0"}]}, WHOLE),
    "preferred-with-kvm": ({"cpu": {"acceleration": "Preferred", "cores": 4, "threads": 2}}, PLAIN),
    "preferred-without-kvm": ({"cpu": {"acceleration": "Preferred"}}, SLOW),
    "threads-of-a-cell": ({"cpu": {"cores": 4}}, Devices((), True, cell=Cell(1, (4, 12, 5, 13), (0, 8), threads=2))),
    "threads-of-a-cell-of-amd": (
        {"cpu": {"cores": 4}, "memory": {"size": "1Gi", "hugepages": "2Mi"}},
        Devices((), True, cell=Cell(1, (4, 12, 5, 13), threads=2, topoext=True)),
    ),
    "a-cell-and-a-topology-of-the-spec": (
        {"cpu": {"cores": 2, "threads": 1}},
        Devices((), True, cell=Cell(0, (4, 12), threads=2)),
    ),
    "disks": (
        {
            "disks": [
                {"name": "root", "image": {"reference": "x"}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "d"}, "format": "qcow2", "bus": "sata"},
                {"name": "file", "hostPath": {"path": "/srv/a"}, "readOnly": True},
                {"name": "blank", "size": "1Gi"},
            ],
            "cdroms": [{"name": "iso", "image": {"reference": "y", "path": "boot.iso"}}],
        },
        PLAIN,
    ),
    "changes": (
        {
            "state": {"size": "1Gi"},
            "disks": [
                {"name": "root", "image": {"reference": "x"}, "changes": "Keep"},
                {"name": "blank", "size": "1Gi", "changes": "Keep"},
                {"name": "scratch", "persistentVolumeClaim": {"claimName": "d"}, "changes": "Discard"},
                {"name": "made", "persistentVolumeClaim": {"claimName": "d", "path": "a.img", "create": "1Gi"}},
            ],
        },
        PLAIN,
    ),
    "installing": (
        {
            "install": {"iso": "windows", "disk": "root"},
            "graphics": {"mode": "Disabled"},
            "disks": [
                {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
                {"name": "root", "persistentVolumeClaim": {"claimName": "r"}},
            ],
            "cdroms": [
                {"name": "drivers", "image": {"reference": "v"}},
                {"name": "windows", "image": {"reference": "w"}},
            ],
        },
        PLAIN,
    ),
    "windows-11": (
        {
            "cpu": {"cores": 4, "threads": 2},
            "firmware": {"uefi": {"secureBoot": True}, "tpm": True},
            "state": {"size": "64Mi"},
            "clock": "LocalTime",
            "hideHypervisor": True,
        },
        PLAIN,
    ),
    "uefi-of-one-run": ({"firmware": {"uefi": {}}}, PLAIN),
    "huge-pages": ({"memory": {"size": "4Gi", "hugepages": "1Gi"}}, PLAIN),
    "shared-folders": (
        {"filesystems": [{"name": "home", "hostPath": {"path": "/srv"}}, {"name": "iso", "readOnly": True}]},
        PLAIN,
    ),
    "two-disguised": (
        {
            "deviceIdentity": {
                "vendorId": "0x10de",
                "deviceId": "0x1e30",
                "subVendorId": "0x10de",
                "subDeviceId": "0x12ba",
            }
        },
        Devices((VfioDevice("a", mdev=UUID), VfioDevice("b", pci="0000:65:00.0", beside=("0000:65:00.1",))), True),
    ),
    "told": ({"cloudInit": {"secretName": "a"}, "sysprep": {"secretName": "b"}, "guestTools": {}}, PLAIN),
    "tools-switched-off": ({"guestTools": {"enabled": False}}, PLAIN),
    "disguised": (
        {
            "hideHypervisor": True,
            "deviceIdentity": {"deviceId": "0x1b30"},
            "firmware": {"serial": "S1", "oemStrings": ["a=b,c"]},
            "extraArguments": ["-rtc base=localtime", "-no-fd-bootchk"],
            "network": {"mode": "None"},
        },
        MDEV,
    ),
}


def _launch(spec: dict[str, Any]) -> launch.Launch:
    uid = "5f0c3a52-3a3d-4a6b-9d6e-0d8a4c6b1e11"
    body = {"name": "demo", "namespace": "lab", "uid": uid, "spec": {"memory": {"size": "2Gi"}, **spec}}
    return launch.decode(json.dumps(body))


@pytest.mark.parametrize("case", CASES)
def test_command_line(case: str) -> None:
    spec, devices = CASES[case]
    words = command_line(_launch(spec), devices, Paths())
    text = "\n".join(words) + "\n"
    golden = GOLDEN / f"{case}.txt"
    if os.environ.get("LIBVF_RENEW"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_required_acceleration_without_kvm_is_refused_with_the_cure() -> None:
    with pytest.raises(DeviceMissing, match=r"set cpu\.acceleration to Preferred"):
        command_line(_launch({}), SLOW, Paths())
