"""Why a claim waits, told from what is published and what is allocated."""

from typing import Any

from libvf_operator import explain
from libvf_operator.allocated import Allocated
from libvf_operator.published import Published


def slices(**offered: int) -> list[dict[str, Any]]:
    """One pool with so many devices of each type (underscores stand for dashes)."""
    devices = [
        {
            "name": f"{kind}-{number}",
            "attributes": {"kind": {"string": "gpu"}, "type": {"string": kind.replace("_", "-")}},
            "capacity": {"vram": {"value": "1Gi"}},
        }
        for kind, count in offered.items()
        for number in range(count)
    ]
    return [{"spec": {"driver": "libvf.io", "pool": {"name": "n1-card"}, "devices": devices}}]


def claim(name: str, device: str) -> dict[str, Any]:
    results = [{"driver": "libvf.io", "pool": "n1-card", "device": device}]
    return {
        "metadata": {"namespace": "lab", "name": name},
        "status": {"allocation": {"devices": {"results": results}}},
    }


def why(spec: dict[str, Any], offered: list[dict[str, Any]], taken: list[dict[str, Any]], scheduler: str) -> str:
    return explain.why(spec, Published(offered), Allocated.of(taken), scheduler)


def test_no_agent_publishes_anything() -> None:
    assert "is the libvf agent running" in why({}, [], [], "")


def test_no_card_offers_the_type_and_those_that_are_offered_are_listed() -> None:
    said = why({"type": "nvidia-746"}, slices(mdpy_xga=4, mdpy_hd=2), [], "")
    assert said == (
        "no card offers nvidia-746: mdpy-hd is another type, mdpy-xga is another type; "
        "ask for one of these, or add a card"
    )


def test_all_are_in_use_and_their_users_are_named() -> None:
    taken = [claim("a", "mdpy_xga-0"), claim("b", "mdpy_xga-1")]
    said = why({"type": "mdpy-*"}, slices(mdpy_xga=2), taken, "")
    assert said == "all 2 slices that are mdpy-* are in use by lab/a, lab/b: stop one, or ask for another"


def test_a_range_of_memory_that_nothing_meets() -> None:
    said = why({"vram": {"min": "2Gi"}}, slices(small=1), [], "")
    assert said.startswith("no card offers at least 2Gi: small (1Gi) is too small;")
    said = why({"vram": {"max": "1Mi"}}, slices(small=1), [], "")
    assert said.startswith("no card offers at most 1Mi: small (1Gi) is too large;")


def test_a_range_of_memory_is_not_met_by_what_has_none() -> None:
    offered = slices(serial=1)
    del offered[0]["spec"]["devices"][0]["capacity"]
    said = why({"vram": {"max": "4Gi"}}, offered, [], "")
    assert said.startswith("no card offers at most 4Gi: serial has no video memory;")


def test_where_some_are_free_the_schedulers_own_words_are_given() -> None:
    said = why({"type": "mdpy-xga"}, slices(mdpy_xga=2), [claim("a", "mdpy_xga-0")], "0/1 nodes are available")
    assert "mdpy-xga has 1 of 2 unallocated" in said
    assert "0/1 nodes are available" in said


def test_another_vendors_cards_are_told_apart() -> None:
    said = why({"vendor": "nvidia"}, slices(small=1), [], "")
    assert said.startswith("no card offers nvidia: small is of vendor unknown;")


def test_no_node_has_hardware_virtualization() -> None:
    def node(accelerated: bool) -> dict[str, Any]:
        attributes = {"kind": {"string": "kvm"}, "accelerated": {"bool": accelerated}}
        device = {"name": "kvm", "attributes": attributes}
        return {"spec": {"driver": "libvf.io", "pool": {"name": "n1-kvm"}, "devices": [device]}}

    assert "none of 1 nodes with the libvf agent has KVM" in explain.why_no_kvm([node(False)])
    assert explain.why_no_kvm([node(False), node(True)]) == ""


def test_a_device_that_nothing_new_may_come_to_says_why_and_the_cure() -> None:
    offered = slices(amd_whole=1)
    offered[0]["spec"]["devices"][0]["taints"] = [{"key": "libvf.io/no-reset", "effect": "NoSchedule"}]
    said = why({}, offered, [], "")
    assert "amd-whole cannot be reset between guests (reuseWithoutReset of a GpuPolicy allows it)" in said


def test_a_usb_device_that_no_node_offers_is_told_with_the_cure() -> None:
    attributes = {"kind": {"string": "usb"}, "device": {"string": "0bda:2838"}}
    devices = [{"name": "0bda-2838-1-2", "attributes": attributes}]
    there = [{"spec": {"driver": "libvf.io", "pool": {"name": "n1-usb"}, "devices": devices}}]
    assert explain.why_no_usb(["0bda:2838"], there) == ""
    assert "the USB device 1050:0407: plug it in, and name it in LIBVF_USB" in explain.why_no_usb(["1050:0407"], there)
    assert explain.why_none_of(["usb"], there) == ""
