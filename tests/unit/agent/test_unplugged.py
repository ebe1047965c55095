"""A claim says so when its USB device is pulled out, and once."""

import asyncio
from pathlib import Path
from typing import Any

from libvf_agent.claims import ClaimRef
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.host import Host, Places
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.host import FakeHost
from tests.fakekernel.usb import Plug, Usb
from tests.unit.agent.plugged import UID, Cluster

RADIO = "0bda:2838"


def ready(cluster: Cluster) -> tuple[str, str]:
    [device] = cluster.claims[("ns", "desk-usb-radio")]["status"]["devices"]
    [said] = device["conditions"]
    return said["reason"], said["message"]


async def test_a_device_that_is_pulled_out_and_plugged_in_is_told_of(tmp_path: Path) -> None:
    kernel, cluster = FakeHost(), Cluster()
    bus = Usb(kernel)
    bus.plug("1-2", Plug(RADIO))
    places = Places(tmp_path / "state", tmp_path / "cdi", tmp_path / "metadata")
    host = Host(
        "n1", Doors(Sysfs(kernel), accelerated=lambda: True, tap=lambda: None, usb_ids=frozenset({RADIO})), (), places
    )
    driver = Driver(host, cluster, call_seconds=1)
    request: dict[str, Any] = {"request": "usb", "pool": "n1-usb", "device": "0bda-2838-1-2"}
    cluster.allocate("desk-usb-radio", UID, request)
    await driver.prepare(ClaimRef("ns", "desk-usb-radio", UID))
    await driver.publish()
    assert ready(cluster) == ("Carved", "the device is there")
    bus.unplug("1-2")
    await driver.publish()
    assert ready(cluster)[0] == "PulledOut"
    assert "0bda-2838-1-2 was pulled out: plug it in where it was" in ready(cluster)[1]
    written = len(cluster.statuses)
    await driver.publish()
    assert len(cluster.statuses) == written
    bus.plug("1-2", Plug(RADIO))
    await driver.publish()
    assert "is /dev/bus/usb/001/003 by now: restart its machine" in ready(cluster)[1]
    await driver.prepare(ClaimRef("ns", "desk-usb-radio", UID))
    await driver.publish()
    assert ready(cluster) == ("Carved", "the device is there")


async def test_what_is_offered_is_published_while_another_claim_is_carved(tmp_path: Path) -> None:
    kernel, cluster = FakeHost(), Cluster()
    bus = Usb(kernel)
    places = Places(tmp_path / "state", tmp_path / "cdi", tmp_path / "metadata")
    host = Host(
        "n1", Doors(Sysfs(kernel), accelerated=lambda: True, tap=lambda: None, usb_ids=frozenset({RADIO})), (), places
    )
    driver = Driver(host, cluster, call_seconds=1)
    cluster.allocate("desk-kvm", UID, {"request": "kvm", "pool": "n1-kvm", "device": "kvm"})
    await driver.prepare(ClaimRef("ns", "desk-kvm", UID))
    bus.plug("1-2", Plug(RADIO))
    async with driver._lock(UID):
        await asyncio.wait_for(driver.publish(), 10)
    assert "n1-usb-libvf-0" in cluster.published
