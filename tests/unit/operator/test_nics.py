"""Functions of network cards for a VM: the claims on them, their addresses, and why one waits."""

from __future__ import annotations

from typing import Any

import pytest
from libvf_api import mac
from libvf_api.offers import holders
from libvf_operator import device_claims, machine, nics, pod
from libvf_operator.machine import Observed

from tests.unit.operator.test_machine import SETTINGS, kinds, settled, vm

FAST: dict[str, Any] = {"name": "fast", "mac": "52:54:00:12:34:56", "device": "8086:10c9"}
OTHER = {"name": "other"}


def claims(thing: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {c["metadata"]["name"]: c["spec"]["devices"] for c in device_claims.for_machine(thing)}


def address(thing: dict[str, Any], name: str) -> str:
    [config] = claims(thing)[name]["config"]
    return str(config["opaque"]["parameters"]["mac"])


def offered(count: int = 2, device: str = "8086:10c9", **more: Any) -> dict[str, Any]:
    """A card's functions as an agent publishes them."""
    told = {"kind": "nic", "mode": "VirtualFunction", "device": device}
    attributes = {key: {"string": value} for key, value in told.items()}
    listed = [{"name": f"vf-{n}", "attributes": attributes, **more} for n in range(count)]
    return {"spec": {"driver": "libvf.io", "nodeName": "n1", "pool": {"name": device}, "devices": listed}}


def held(name: str, device: str, pool: str = "8086:10c9") -> dict[str, Any]:
    """A claim that has one of them."""
    allocation = {"devices": {"results": [{"pool": pool, "device": device}]}}
    return {"metadata": {"namespace": "lab", "name": name}, "status": {"allocation": allocation}}


def test_each_function_is_a_claim_of_the_machines_own() -> None:
    thing = vm(nics=[FAST, OTHER])
    wanted = kinds(machine.desired(thing, Observed(), SETTINGS).create)
    assert {"ResourceClaim/desk-nic-fast", "ResourceClaim/desk-nic-other"} <= set(wanted)
    listed = pod.for_machine(thing, SETTINGS)["spec"]["resourceClaims"]
    assert {"name": "device-nic-fast", "resourceClaimName": "desk-nic-fast"} in listed
    assert {"kind": "nic", "name": "nic-fast", "claim": "desk-nic-fast", "request": "nic"} in (
        pod.launch_document(thing)["devices"]
    )


def test_a_claim_asks_for_one_function_of_the_card_that_is_named() -> None:
    [request] = claims(vm(nics=[FAST]))["desk-nic-fast"]["requests"]
    assert (request["exactly"]["deviceClassName"], request["exactly"]["count"]) == ("nic.libvf.io", 1)
    asked = [selector["cel"]["expression"] for selector in request["exactly"]["selectors"]]
    assert asked == [
        'device.attributes["libvf.io"].?mode.orValue("") == "VirtualFunction"',
        'device.attributes["libvf.io"].?device.orValue("") == "8086:10c9"',
    ]


def test_the_address_that_is_asked_for_goes_to_the_agent_with_the_claim() -> None:
    [config] = claims(vm(nics=[FAST]))["desk-nic-fast"]["config"]
    parameters = {"apiVersion": "libvf.io/v1alpha1", "kind": "NicConfig", "mac": "52:54:00:12:34:56"}
    assert config == {"requests": ["nic"], "opaque": {"driver": "libvf.io", "parameters": parameters}}


def test_without_one_a_function_has_an_address_of_its_own_that_stays() -> None:
    thing = vm(nics=[OTHER, {"name": "third"}])
    first, second = address(thing, "desk-nic-other"), address(thing, "desk-nic-third")
    assert first != second
    assert all(mac.is_of_one_card(one) for one in (first, second))
    assert address(vm(nics=[OTHER]), "desk-nic-other") == first
    assert address(vm("another", nics=[OTHER]), "another-nic-other") != first


def test_claims_on_anything_else_carry_no_configuration() -> None:
    assert "config" not in claims(vm(network={"mode": "Tap"}, nics=[FAST]))["desk-tap"]


def test_another_address_makes_the_claim_anew_before_the_next_pod() -> None:
    before = vm(nics=[FAST])
    seen = settled(before, live=False)
    for child in device_claims.for_machine(before):
        seen.claims[child["metadata"]["name"]] = child
    assert kinds(machine.desired(before, seen, SETTINGS).create) == ["Pod/desk"]
    after = vm(nics=[{**FAST, "mac": "52:54:00:12:34:57"}])
    wanted = machine.desired(after, seen, SETTINGS)
    assert (kinds(wanted.create), kinds(wanted.delete)) == ([], ["ResourceClaim/desk-nic-fast"])


def test_a_halted_machine_leaves_its_functions_to_others() -> None:
    assert "ResourceClaim/desk-nic-fast" not in kinds(
        machine.desired(vm(nics=[FAST], runStrategy="Halted"), Observed(), SETTINGS).create
    )


@pytest.mark.parametrize(
    ("slices", "allocated", "told"),
    [
        ([], [], "nic fast: no node offers functions of network cards 8086:10c9: name such a card in a GpuPolicy"),
        ([offered(device="15b3:1017")], [], "or ask for a device that is offered: 15b3:1017"),
        (
            [offered(2)],
            [held("a-nic-x", "vf-0"), held("b-nic-x", "vf-1")],
            "all 2 functions of network cards 8086:10c9 are in use by lab/a-nic-x, lab/b-nic-x: stop one",
        ),
        (
            [offered(2, taints=[{"key": "libvf.io/draining", "effect": "NoSchedule"}])],
            [held("a-nic-x", "vf-0")],
            "none of 1 free functions of network cards 8086:10c9 may be had",
        ),
        ([offered(2)], [held("a-nic-x", "vf-0")], ""),
        ([offered(1)], [held("desk-nic-fast", "vf-0")], ""),
    ],
    ids=["none is offered", "only others are", "all are in use", "the rest drains", "one is free", "it has one"],
)
def test_a_machine_that_waits_for_a_function_says_why(
    slices: list[dict[str, Any]], allocated: list[dict[str, Any]], told: str
) -> None:
    said = nics.why_none(vm(nics=[FAST]), slices, holders(allocated))
    assert told in said
    assert bool(told) == bool(said)


def test_a_whole_network_card_is_no_function() -> None:
    whole = offered(1)
    whole["spec"]["devices"][0]["attributes"]["mode"] = {"string": "Passthrough"}
    assert "no node offers functions" in nics.why_none(vm(nics=[OTHER]), [whole], {})
