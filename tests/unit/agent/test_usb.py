"""USB devices of a host: those that are named go to one claim each, and what is pulled out is said."""

import json
from pathlib import Path

import pytest
from libvf_agent import cdi, usb
from libvf_agent.claims import Claim, parse
from libvf_agent.config import Config
from libvf_agent.doors import Doors
from libvf_agent.errors import ClaimError
from libvf_agent.health import verdicts
from libvf_agent.host import Host, Places
from libvf_agent.hotplug import concerns_us
from libvf_agent.journal import Entry
from libvf_agent.slices import Json, Node
from libvf_agent.sysfs import Sysfs

from tests.fakekernel.host import FakeHost
from tests.fakekernel.usb import Plug, Usb

RADIO, KEYBOARD, HUB = "0bda:2838", "046d:c52b", "05e3:0610"
NAME = "0bda-2838-1-2"


class Bed:
    """A host with a USB bus, and its agent with the ids that it may hand out."""

    def __init__(self, folder: Path, *ids: str) -> None:
        self.folder, self.ids = folder, ids
        self.kernel = FakeHost()
        self.bus = Usb(self.kernel)
        self.host = self.agent()

    def agent(self) -> Host:
        at = Places(self.folder / "state", self.folder / "cdi", self.folder / "metadata")
        return Host(
            "n1",
            Doors(Sysfs(self.kernel), accelerated=lambda: True, tap=lambda: None, usb_ids=frozenset(self.ids)),
            (),
            at,
        )

    def offered(self) -> dict[str, Json]:
        specs = [spec for spec in self.host.look(Node("n1", "uid"))[0] if spec["pool"]["name"] == "n1-usb"]
        return {device["name"]: device for spec in specs for device in spec["devices"]}

    def prepare(self, wanted: Claim) -> Entry:
        return self.host.prepare(wanted, wanted.allocated)

    def nodes(self) -> list[str]:
        """What CDI gives to the claim's container."""
        [device] = json.loads(cdi.path(self.folder / "cdi", claim().metadata.uid).read_text())["devices"]
        return [node["path"] for node in device["containerEdits"]["deviceNodes"]]

    def health(self) -> list[tuple[bool, str]]:
        return [(one.healthy, one.message) for one in verdicts(self.host)]


def claim(device: str = NAME) -> Claim:
    results = [{"request": "usb", "driver": "libvf.io", "pool": "n1-usb", "device": device}]
    meta = {"name": "desk-usb-radio", "namespace": "lab", "uid": "0a1b2c3d-0000-4000-8000-000000000001"}
    return parse({"metadata": meta, "status": {"allocation": {"devices": {"results": results}}}})


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    bed = Bed(tmp_path, RADIO)
    bed.bus.plug("1-1", Plug(KEYBOARD, interface="03"))
    bed.bus.plug("1-2", Plug(RADIO, serial="77771111", product="RTL2838UHIDIR"))
    return bed


def test_only_what_is_named_is_offered_and_to_one_claim_each(bed: Bed) -> None:
    assert bed.offered() == {
        NAME: {
            "name": NAME,
            "attributes": {
                "kind": {"string": "usb"},
                "device": {"string": RADIO},
                "port": {"string": "1-2"},
                "serial": {"string": "77771111"},
                "product": {"string": "RTL2838UHIDIR"},
            },
        }
    }


def test_nothing_is_offered_where_nothing_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.bus.plug("1-2", Plug(RADIO))
    assert bed.offered() == {}


def test_a_keyboard_is_offered_only_by_its_name_and_a_hub_not_even_then(tmp_path: Path) -> None:
    bed = Bed(tmp_path, KEYBOARD, HUB, "1d6b:0002")
    bed.bus.plug("1-1", Plug(HUB, kind="09"))
    bed.bus.plug("1-1.4", Plug(KEYBOARD, interface="03"))
    assert list(bed.offered()) == ["046d-c52b-1-1-4"]


def test_two_of_a_kind_are_two_devices(bed: Bed) -> None:
    bed.bus.plug("2-1", Plug(RADIO))
    assert sorted(bed.offered()) == [NAME, "0bda-2838-2-1"]


def test_what_a_device_says_of_itself_fits_an_attribute(tmp_path: Path) -> None:
    bed = Bed(tmp_path, RADIO)
    bed.bus.plug("1-2", Plug(RADIO, serial="7" * 100, product="ä" * 50))
    values = [value["string"] for value in bed.offered()[NAME]["attributes"].values()]
    assert max(len(value.encode()) for value in values) == 64


def test_a_host_without_a_bus_offers_none(tmp_path: Path) -> None:
    at = Places(tmp_path / "state", tmp_path / "cdi", tmp_path / "metadata")
    host = Host(
        "n1", Doors(Sysfs(FakeHost()), accelerated=lambda: True, tap=lambda: None, usb_ids=frozenset({RADIO})), (), at
    )
    assert "n1-usb" not in {spec["pool"]["name"] for spec in host.look(Node("n1", "uid"))[0]}


def test_its_container_gets_its_node_alone(bed: Bed) -> None:
    [piece] = bed.prepare(claim()).slices
    assert piece.facts == {"device": RADIO, "port": "1-2", "usbNode": "/dev/bus/usb/001/003"}
    assert bed.nodes() == ["/dev/bus/usb/001/003"]


def test_what_is_pulled_out_stays_in_the_slice_and_is_said(bed: Bed) -> None:
    bed.prepare(claim())
    assert bed.health() == [(True, "")]
    bed.bus.unplug("1-2")
    [gone] = bed.offered().values()
    assert (gone["name"], gone["taints"]) == (NAME, [{"key": "libvf.io/lost", "effect": "NoSchedule"}])
    [(healthy, message)] = bed.health()
    assert not healthy
    assert "was pulled out: plug it in where it was" in message


def test_plugged_in_again_it_has_another_node_and_the_next_container_gets_that(bed: Bed) -> None:
    bed.prepare(claim())
    bed.bus.unplug("1-2")
    bed.bus.plug("1-2", Plug(RADIO))
    assert "taints" not in bed.offered()[NAME]
    [(healthy, message)] = bed.health()
    assert not healthy
    assert "/dev/bus/usb/001/004 by now: restart its machine" in message
    bed.prepare(claim())
    assert (bed.nodes(), bed.health()) == (["/dev/bus/usb/001/004"], [(True, "")])


def test_what_comes_into_the_port_of_another_is_not_taken_for_it(bed: Bed) -> None:
    bed.bus.unplug("1-2")
    bed.bus.plug("1-2", Plug(KEYBOARD))
    with pytest.raises(ClaimError, match="plug it in where it was"):
        bed.prepare(claim())


def test_a_new_agent_knows_what_is_in_use_and_a_claim_that_ends_frees_it(bed: Bed) -> None:
    bed.prepare(claim())
    bed.bus.unplug("1-2")
    bed.host = bed.agent()
    assert list(bed.offered()) == [NAME]
    bed.host.unprepare(claim().metadata.uid)
    assert bed.offered() == {}


def test_the_setting_is_read_as_lsusb_prints_ids() -> None:
    assert Config.from_environment({"NODE_NAME": "n1"}).usb == frozenset()
    told = {"NODE_NAME": "n1", "LIBVF_USB": f"{RADIO}, {KEYBOARD}"}
    assert Config.from_environment(told).usb == {RADIO, KEYBOARD}
    with pytest.raises(ValueError, match="write it in lower case as lsusb does"):
        usb.named("046D:C52B")


def test_an_event_of_the_bus_is_looked_at() -> None:
    assert concerns_us("usb", {"DEVTYPE": "usb_device"})
