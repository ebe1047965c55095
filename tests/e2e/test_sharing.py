"""Who may have a device: other machines, other Pods, other people's devices, other nodes."""

import json
import time
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from lab.demo import get, wait_ready
from lab.testbed import Testbed
from tests.e2e.machines import SMALL, all_mdevs, apply, left, until, until_reason

pytestmark = pytest.mark.e2e

# opens the device of the metadata file as any VFIO user does: linux/vfio.h, VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU
# with VFIO_TYPE1_IOMMU, VFIO_GROUP_GET_DEVICE_FD, and asks it for its regions by VFIO_DEVICE_GET_INFO
READER = """
import fcntl, json, os, struct
path = "/var/run/kubernetes.io/dra-device-attributes/resourceclaims/shared/gpu/libvf.io-metadata.json"
document = json.loads(open(path).readline())
attributes = document["requests"][0]["devices"][0]["attributes"]
uuid, number = attributes["mdevUUID"]["string"], attributes["iommuGroup"]["int"]
container = os.open("/dev/vfio/vfio", os.O_RDWR)
group = os.open(f"/dev/vfio/{number}", os.O_RDWR)
fcntl.ioctl(group, 0x3b68, struct.pack("i", container))
fcntl.ioctl(container, 0x3b66, 1)
device = fcntl.ioctl(group, 0x3b6a, bytearray(uuid.encode() + bytes(1)), True)  # with bytes there is no result
info = struct.unpack("6I", fcntl.ioctl(device, 0x3b6b, struct.pack("6I", 24, 0, 0, 0, 0, 0)))
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
told = {"uuid": uuid, "regions": info[2], "uid": os.getuid(), "capabilities": status["CapEff"].strip()}
os.makedirs("/tmp/www")
open("/tmp/www/told.json", "w").write(json.dumps(told))
print(json.dumps(told), flush=True)
os.chdir("/tmp/www")
os.execvp("python3", ["python3", "-m", "http.server", "8000"])
"""


def partition(name: str, **spec: Any) -> str:
    body = {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition", "metadata": {"name": name}, "spec": spec}
    return yaml.safe_dump(body)


def reader(claim: str) -> str:
    """A Pod that is not ours, as restricted as can be; group 107 is who may open a device."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "reader",
        "image": "libvf.io/launcher:dev",
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", READER],
        "resources": {"claims": [{"name": "gpu"}], "limits": {"memory": "64Mi"}},
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
        "securityContext": security,
    }
    spec = {
        "containers": [container],
        "resourceClaims": [{"name": "gpu", "resourceClaimName": claim}],
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "supplementalGroups": [107],
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader"}, "spec": spec})


def test_a_pod_that_is_not_ours_uses_a_partition_and_a_machine_waits_for_it(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", "-", stdin=partition("shared", type="mdpy-xga"))
    bed.kubectl("apply", "-f", "-", stdin=reader("shared"))
    bed.kubectl("wait", "--for=condition=Ready", "pod/reader", "--timeout=60s")
    told = _told(bed)
    assert told["uid"] == 1000
    assert int(told["capabilities"], 16) == 0
    assert told["regions"] > 0
    assert {told["uuid"]} == all_mdevs(bed)
    until(lambda: get(bed, "gpart", "shared")["status"].get("consumer"), "Pod/reader")
    _lab_reaches(bed, told)
    apply(bed, **SMALL, gpus=[{"name": "gpu0", "partitionRef": "shared"}])
    assert "in use by Pod/reader" in until_reason(bed, "demo", "PartitionInUse")
    bed.kubectl("delete", "pod", "reader", "--wait")
    wait_ready(bed, "demo")


def _told(bed: Testbed) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while not (words := bed.kubectl("logs", "reader")) and time.monotonic() < deadline:
        time.sleep(1)
    found: dict[str, Any] = json.loads(words.splitlines()[0])
    return found


def _lab_reaches(bed: Testbed, told: dict[str, Any]) -> None:
    """kubectl logs has been used; exec and port-forward say the same."""
    assert json.loads(bed.kubectl("exec", "reader", "--", "cat", "/tmp/www/told.json")) == told
    with bed.forwarded("pod/reader", 8000) as port, urlopen(f"http://127.0.0.1:{port}/told.json", timeout=30) as answer:
        assert json.load(answer) == told


@pytest.mark.long
def test_of_two_machines_on_one_partition_the_second_waits_and_runs_when_the_first_is_gone(bed: Testbed) -> None:
    bed.kubectl("apply", "-f", "-", stdin=partition("shared", type="mdpy-xga"))
    gpus = [{"name": "gpu0", "partitionRef": "shared"}]
    apply(bed, "first", **SMALL, gpus=gpus)
    wait_ready(bed, "first")
    apply(bed, "second", **SMALL, gpus=gpus)
    assert "in use by VirtualMachine/first" in until_reason(bed, "second", "PartitionInUse")
    assert get(bed, "gpart", "shared")["status"]["consumer"] == "VirtualMachine/first"
    bed.kubectl("delete", "vfvm", "first", "--wait")
    wait_ready(bed, "second")


def test_a_card_whose_driver_is_unloaded_is_offered_no_more_and_again_when_it_is_back(bed: Testbed) -> None:
    node = bed.node("n1")
    assert _pools(bed) >= {"n1-mbochs"}
    assert node.execute(["rmmod", "mbochs"]).returncode == 0
    until(lambda: "n1-mbochs" in _pools(bed), False)
    assert node.execute(["modprobe", "mbochs"]).returncode == 0
    until(lambda: "n1-mbochs" in _pools(bed), True)
    assert left(bed) == {}


def _pools(bed: Testbed) -> set[str]:
    return {piece["spec"]["pool"]["name"] for piece in bed.api.list("resourceslice")}
