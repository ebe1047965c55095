"""USB devices and vsocks, by the real scheduler and the operator: where a machine goes, and what its status says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakekernel.host import FakeHost
from tests.fakekernel.usb import Plug, Usb
from tests.integration.conftest import REPOSITORY, Api
from tests.integration.fakenode import Json, Node, clear, machine, operating, placed, ready, results, until

pytestmark = pytest.mark.integration

RADIO, KEY = "0bda:2838", "1050:0407"


class Numbers:
    """A kernel with vhost_vsock and no guest that has a vsock yet."""

    def offered(self) -> bool:
        return True

    def taken(self, cid: int) -> bool:
        return False


@pytest.fixture
def hosts(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Node, Usb]]:
    """Two nodes that may hand out radios; the one with a radio, and its bus."""
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    folder = tmp_path / "operator"
    folder.mkdir()
    with operating(api, folder):
        kernels = {name: FakeHost() for name in ("n1", "n2")}
        buses = {name: Usb(kernel) for name, kernel in kernels.items()}
        buses["n2"].plug("1-2", Plug(RADIO, serial="77771111", product="RTL2838UHIDIR"))
        given: dict[str, Any] = {"usb_ids": frozenset({RADIO}), "vsocks": Numbers()}
        made = [Node(api, name, tmp_path / name, kernel, **given) for name, kernel in kernels.items()]
        for node in made:
            node.publish()
        yield made[1], buses["n2"]
        clear(api)


def with_devices(name: str, **spec: Any) -> Json:
    wanted = machine(name)
    wanted["spec"] = {"memory": {"size": "1Gi"}, **spec}
    return wanted


def said(api: Api, name: str, kind: str) -> Json:
    conditions = api.get("vfvm", name).get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind), {})


def test_a_machine_goes_where_its_usb_device_is_and_is_told_when_it_is_pulled_out(
    api: Api, hosts: tuple[Node, Usb]
) -> None:
    node, bus = hosts
    radio = [{"name": "radio", "device": RADIO}]
    api.done("apply", "-f", str(REPOSITORY / "examples" / "usb.yaml"))
    claim = placed(api, "demo", "demo-usb-radio")
    assert [one["device"] for one in results(claim)] == ["0bda-2838-1-2"]
    assert api.get("pod", "demo")["spec"]["nodeName"] == "n2"
    api.apply(with_devices("second", usb=radio), with_devices("third", usb=[{"name": "key", "device": KEY}]))
    until(lambda: ready(api, "vfvm", "second").get("reason") == "Unschedulable")
    until(lambda: f"the USB device {KEY}: plug it in" in ready(api, "vfvm", "third").get("message", ""))
    node.prepare(claim)
    until(lambda: said(api, "demo", "DevicesPrepared").get("status") == "True")
    bus.unplug("1-2")
    node.publish()
    until(lambda: "was pulled out" in said(api, "demo", "DevicesPrepared").get("message", ""))
    [gone] = api.get("resourceslice", "n2-usb-libvf-0")["spec"]["devices"]
    assert gone["taints"][0]["key"] == "libvf.io/lost"
    assert api.get("pod", "demo")["spec"]["nodeName"] == "n2"


def test_a_vsock_is_had_by_as_many_as_want_one_and_the_status_tells_its_number(
    api: Api, hosts: tuple[Node, Usb]
) -> None:
    spec = {"network": {"mode": "None", "vsock": True}, "usb": [{"name": "radio", "device": RADIO}]}
    api.apply(with_devices("desk", **spec), with_devices("second", network={"vsock": True}))
    for name in ("desk", "second"):
        placed(api, name, f"{name}-vsock")
    node, _ = hosts
    node.prepare(api.get("resourceclaim", "desk-vsock"))
    number = until(lambda: api.get("vfvm", "desk").get("status", {}).get("vsockCid"))
    [device] = api.get("resourceclaim", "desk-vsock")["status"]["devices"]
    assert device["data"] == {"vsockCid": number}
