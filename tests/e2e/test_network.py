"""A guest on the tap of its Pod, reached from its node; and the Service that follows the VM's ports."""

import json

import pytest
import yaml

from lab.demo import condition, get, wait_ready
from lab.testbed import Testbed
from tests.e2e.machines import HASTY, SMALL, apply, example, left, until

pytestmark = pytest.mark.e2e

WEB = {"name": "web", "port": 80}


def ports(bed: Testbed) -> list[tuple[str, int]]:
    """Name and port of the Service demo; none where it is not there."""
    listed = bed.kubectl("get", "service", "-l", "libvf.io/machine=demo", "-o", "json")
    return [(port["name"], port["port"]) for one in json.loads(listed)["items"] for port in one["spec"]["ports"]]


def patch(bed: Testbed, listed: list[dict[str, object]]) -> None:
    body = json.dumps({"spec": {"ports": listed}})
    bed.kubectl("patch", "vfvm", "demo", "--type=merge", "-p", body)


def test_a_guest_on_a_tap_answers_at_its_pods_address(bed: Testbed) -> None:
    machine = example("ports", **HASTY, firmware={"oemStrings": ["libvf.word=SESAME"]})
    bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(machine))
    wait_ready(bed, "demo")
    until(lambda: "address 192.0.0.2/29" in bed.kubectl("logs", "demo", "-c", "launcher"), True)
    assert condition(get(bed, "vfvm", "demo"), "DevicesPrepared")["status"] == "True"
    address = get(bed, "pod", "demo")["status"]["podIP"]
    fetched = bed.node("n1").execute(["busybox", "wget", "-q", "-O", "-", "-T", "10", f"http://{address}/word"])
    assert fetched.stdout.decode().strip() == "SESAME"
    bed.kubectl("delete", "vfvm", "demo", "--wait")
    until(lambda: left(bed), {})


def test_the_service_follows_the_ports_and_keeps_its_address(bed: Testbed) -> None:
    apply(bed, **SMALL, gpus=[], ports=[WEB])
    wait_ready(bed, "demo")
    until(lambda: ports(bed), [("web", 80)])
    before = get(bed, "service", "demo")["spec"]["clusterIP"]
    until(lambda: get(bed, "vfvm", "demo")["status"].get("service", {}).get("addresses"), [before])
    patch(bed, [{**WEB, "servicePort": 8080}, {"name": "ssh", "port": 22}])
    until(lambda: sorted(ports(bed)), [("ssh", 22), ("web", 8080)])
    assert get(bed, "service", "demo")["spec"]["clusterIP"] == before
    patch(bed, [])
    until(lambda: ports(bed), [])
