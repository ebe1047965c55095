"""The Service that carries a VM's ports: when it is made, changed and taken away, and what is told of it."""

from typing import Any

import pytest
from libvf_operator import machine, machine_status, pod, service

from tests.unit.operator.test_machine import SETTINGS, kinds, running, settled, vm

SSH = {"name": "ssh", "port": 22}
PLACE = ("Service", "desk")


def made(thing: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The VM's Service as the API server shows it."""
    there = service.for_machine(thing)
    assert there is not None
    there["metadata"]["uid"] = "uid-service"
    there["spec"] = {**there["spec"], "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], **spec}
    return there


def conditions(thing: dict[str, Any], seen: machine.Observed) -> dict[str, dict[str, Any]]:
    return {c["type"]: c for c in machine_status.status(thing, seen)["conditions"]}


def test_a_machine_with_ports_gets_a_service_of_its_name_that_leads_to_its_pod() -> None:
    thing = vm(ports=[{**SSH, "servicePort": 2222}], network={"serviceType": "NodePort"})
    [found] = machine.desired(thing, settled(thing, live=False), SETTINGS).create
    assert kinds([found]) == ["Service/desk"]
    assert found["spec"]["type"] == "NodePort"
    assert found["spec"]["ports"] == [{"name": "ssh", "protocol": "TCP", "port": 2222, "targetPort": 22}]
    assert found["spec"]["selector"].items() <= pod.for_machine(thing, SETTINGS)["metadata"]["labels"].items()


def test_it_is_there_before_the_pod_and_while_the_machine_is_halted() -> None:
    thing = vm(ports=[SSH], runStrategy="Halted")
    assert "Service/desk" in kinds(machine.desired(thing, settled(thing, live=False), SETTINGS).create)


def test_it_follows_the_spec_while_the_guest_runs_and_keeps_its_address() -> None:
    thing = vm(ports=[SSH])
    seen = settled(thing, **running())
    seen.others[PLACE] = made(thing)
    changed = vm(ports=[SSH, {"name": "web", "port": 80}])
    wanted = machine.desired(changed, seen, SETTINGS)
    [patch] = wanted.change
    assert (wanted.create, wanted.delete) == ([], [])
    assert patch["metadata"] == {"name": "desk", "namespace": "lab", "uid": "uid-service"}
    assert [port["name"] for port in patch["spec"]["ports"]] == ["ssh", "web"]
    assert "clusterIP" not in patch["spec"]


def test_what_the_api_server_fills_in_is_no_change() -> None:
    thing = vm(ports=[SSH])
    seen = settled(thing, **running())
    filled = [{**port, "nodePort": 30022} for port in made(thing)["spec"]["ports"]]
    seen.others[PLACE] = made(thing, ports=filled, sessionAffinity="None")
    assert machine.desired(thing, seen, SETTINGS).change == []


def test_it_goes_with_the_last_port_and_the_guest_runs_on() -> None:
    seen = settled(vm(ports=[SSH]), **running())
    seen.others[PLACE] = made(vm(ports=[SSH]))
    assert kinds(machine.desired(vm(), seen, SETTINGS).delete) == ["Service/desk"]


@pytest.mark.parametrize("ports", [[SSH], []])
def test_one_of_somebody_else_is_neither_used_nor_changed_nor_removed(ports: list[dict[str, Any]]) -> None:
    thing = vm(ports=ports)
    seen = settled(thing, live=False)
    seen.others[PLACE] = made(vm(ports=[{"name": "other", "port": 1}]))
    seen.others[PLACE]["metadata"]["ownerReferences"] = []
    wanted = machine.desired(thing, seen, SETTINGS)
    assert (wanted.change, wanted.delete) == ([], [])
    assert kinds(wanted.create) == ([] if ports else ["Pod/desk"])
    if ports:
        assert conditions(thing, seen)["Ready"]["reason"] == "NotOurs"
        assert conditions(thing, seen)["PortsExposed"]["reason"] == "NotOurs"


def test_status_says_where_the_ports_are_reached() -> None:
    thing = vm(ports=[SSH])
    seen = settled(thing, **running())
    seen.others[PLACE] = made(thing)
    seen.others[PLACE]["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}
    assert machine_status.status(thing, seen)["service"] == {
        "name": "desk",
        "host": "desk.lab.svc",
        "addresses": ["10.96.0.7", "192.0.2.9"],
        "ports": [{"name": "ssh", "protocol": "TCP", "port": 22}],
    }
    assert conditions(thing, seen)["PortsExposed"]["status"] == "True"
    assert "PortsExposed" not in conditions(vm(), settled(vm()))


@pytest.mark.parametrize(
    ("before", "after", "restart"),
    [
        ({"ports": [SSH]}, {"ports": [{**SSH, "servicePort": 2222}], "network": {"serviceType": "NodePort"}}, False),
        ({"ports": [SSH]}, {"ports": [SSH, {"name": "web", "port": 80}]}, True),
        ({"network": {"mode": "Tap"}}, {"network": {"mode": "Tap"}, "ports": [SSH]}, False),
    ],
    ids=["only the Service is another", "user-mode forwards what QEMU was started with", "a tap forwards every port"],
)
def test_a_restart_is_asked_for_only_where_the_guest_needs_one(
    before: dict[str, Any], after: dict[str, Any], restart: bool
) -> None:
    found = conditions(vm(**after), settled(vm(**before), **running()))["RestartRequired"]
    assert found["status"] == str(restart)


def test_low_ports_may_be_listened_on_without_a_capability() -> None:
    spec = pod.for_machine(vm(ports=[SSH]), SETTINGS)["spec"]
    assert spec["securityContext"]["sysctls"] == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    assert (
        "sysctls" not in pod.for_machine(vm(ports=[{"name": "web", "port": 8080}]), SETTINGS)["spec"]["securityContext"]
    )


def test_a_tap_is_a_claim_of_the_machines_own() -> None:
    thing = vm(network={"mode": "Tap"})
    wanted = machine.desired(thing, machine.Observed(), SETTINGS)
    assert "ResourceClaim/desk-tap" in kinds(wanted.create)
    spec = pod.for_machine(thing, SETTINGS)["spec"]
    assert {"name": "device-tap", "resourceClaimName": "desk-tap"} in spec["resourceClaims"]
    seen = settled(thing, live=False)
    assert conditions(thing, seen)["Ready"]["reason"] == "PreparingClaims"


def test_a_vsock_is_a_claim_of_its_own_and_its_number_in_the_status() -> None:
    thing = vm(network={"mode": "None", "vsock": True})
    wanted = machine.desired(thing, machine.Observed(), SETTINGS)
    assert "ResourceClaim/desk-vsock" in kinds(wanted.create)
    [told] = pod.launch_document(thing)["devices"]
    assert told == {"kind": "vsock", "name": "vsock", "claim": "desk-vsock", "request": "vsock"}
    seen = settled(thing, **running())
    assert "vsockCid" not in machine_status.status(thing, seen)
    devices = [{"driver": "libvf.io", "data": {"vsockCid": 1 << 30}}]
    seen.claims["desk-vsock"] = {"status": {"devices": devices}}
    assert machine_status.status(thing, seen)["vsockCid"] == 1 << 30
    assert "desk-vsock" not in str(machine.desired(vm(), machine.Observed(), SETTINGS).create)


def test_each_usb_device_is_a_claim_of_its_own_by_its_id() -> None:
    thing = vm(usb=[{"name": "radio", "device": "0bda:2838"}, {"name": "key", "device": "1050:0407"}])
    made = {one["metadata"]["name"]: one for one in machine.desired(thing, machine.Observed(), SETTINGS).create}
    assert {"desk-usb-radio", "desk-usb-key"} <= set(made)
    [request] = made["desk-usb-radio"]["spec"]["devices"]["requests"]
    assert request["exactly"]["deviceClassName"] == "usb.libvf.io"
    [selector] = request["exactly"]["selectors"]
    assert selector == {"cel": {"expression": 'device.attributes["libvf.io"].?device.orValue("") == "0bda:2838"'}}
    told = [(one["kind"], one["name"], one["claim"]) for one in pod.launch_document(thing)["devices"]]
    assert told == [("usb", "usb-radio", "desk-usb-radio"), ("usb", "usb-key", "desk-usb-key")]
