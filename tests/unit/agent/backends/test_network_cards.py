"""Network cards: only where a policy names them, never as a GPU, and each function with the address it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from libvf_agent import claim_status
from libvf_agent.claims import Claim, parse
from libvf_agent.effects import Effects
from libvf_agent.errors import AgentError, Busy, ClaimError, Refused
from libvf_agent.policies import Rulebook
from libvf_agent.policy_spec import parse as policy
from libvf_agent.rules import RulesOf, careful
from libvf_agent.steps import Facts, Mac
from libvf_agent.sysfs import Sysfs
from libvf_api.mac import ZERO

from tests.fakekernel.pci import PciHost
from tests.fakekernel.situations import PF, amd, network, rules
from tests.unit.agent.claiming import Claiming

TWO = rules(functions=2)
MAC, OTHER = "52:54:00:12:34:56", "52:54:00:12:34:57"
UID = "0a1b2c3d-0000-4000-8000-00000000000"


def machine(folder: Path, of: RulesOf = TWO, **driver: object) -> Claiming:
    return Claiming(network(**driver), folder, of)


def nic(mac: str, requests: tuple[str, ...] = (), **more: object) -> dict[str, Any]:
    """A claim's configuration as it stands in its allocation."""
    parameters = {"apiVersion": "libvf.io/v1alpha1", "kind": "NicConfig", "mac": mac, **more}
    opaque = {"driver": "libvf.io", "parameters": parameters}
    return {"source": "FromClaim", "requests": list(requests), "opaque": opaque}


def claim(bed: Claiming, device: str, *config: dict[str, Any], number: int = 1) -> Claim:
    result = {"request": "nic", "driver": "libvf.io", "pool": bed.pool, "device": device}
    allocation = {"devices": {"results": [result], "config": list(config)}}
    meta = {"name": f"c{number}", "namespace": "ns", "uid": f"{UID}{number}"}
    return parse({"metadata": meta, "status": {"allocation": allocation}})


def facts(bed: Claiming, asked: Claim) -> Facts:
    [piece] = bed.host.prepare(asked, asked.allocated).slices
    return piece.facts


def macs(bed: Claiming, link: str = "eth0") -> list[str]:
    return bed.kernel.macs(link)


def test_without_a_policy_that_names_it_a_network_card_is_left_alone(tmp_path: Path) -> None:
    bed = machine(tmp_path, careful)
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_drivers_autoprobe", "0")
    bed.kernel.write(f"sys/bus/pci/devices/{PF}/sriov_numvfs", "2")
    assert bed.names() == []


@pytest.mark.parametrize(
    ("cards", "offered"),
    [
        ({}, []),
        ({"vendor": "intel"}, []),
        ({"devices": ["8086:10c9"]}, ["vf-0", "vf-1"]),
        ({"addresses": [PF]}, ["vf-0", "vf-1"]),
    ],
)
def test_a_policy_for_whole_kinds_of_cards_means_no_network_card(
    cards: dict[str, Any], offered: list[str], tmp_path: Path
) -> None:
    spec = {"cards": cards, "modes": ["VirtualFunction"], "virtualFunctions": {"count": 2}}
    book = Rulebook.of((policy({"metadata": {"name": "p"}, "spec": spec}),), {})
    assert machine(tmp_path, book.rules).names() == offered


def test_its_functions_are_no_gpus_and_tell_whose_link_they_are_on(tmp_path: Path) -> None:
    attributes = machine(tmp_path).devices()["vf-0"]["attributes"]
    told = {key: next(iter(value.values())) for key, value in attributes.items()}
    assert (told["kind"], told["link"], told["device"]) == ("nic", "eth0", "8086:10c9")
    assert told["resource.kubernetes.io/numaNode"] == 0
    assert "resource.kubernetes.io/pcieRoot" in told
    assert "capacity" not in machine(tmp_path / "b").devices()["vf-0"]


def test_a_gpu_is_no_network_card(tmp_path: Path) -> None:
    bed = Claiming(PciHost(amd()), tmp_path, TWO)
    assert bed.devices()["vf-0"]["attributes"]["kind"] == {"string": "gpu"}
    assert "link" not in bed.devices()["vf-0"]["attributes"]


def test_a_function_has_the_address_of_its_claim_while_the_claim_has_it(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    first = facts(bed, claim(bed, "vf-0", nic(MAC)))
    second = facts(bed, claim(bed, "vf-1", nic(OTHER), number=2))
    assert macs(bed) == [MAC, OTHER]
    assert (first["mac"], first["kind"], second["mac"]) == (MAC, "nic", OTHER)
    bed.host.unprepare(f"{UID}1")
    assert macs(bed) == [ZERO, OTHER]
    bed.host.unprepare(f"{UID}2")
    assert macs(bed) == []
    assert macs(bed, "eth1") == [ZERO, "52:54:00:00:00:01"], "another card's are not touched"


def test_a_function_whose_claim_names_no_address_keeps_its_cards(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    assert "mac" not in facts(bed, claim(bed, "vf-0"))
    assert macs(bed) == [ZERO, ZERO]


def test_the_claims_own_word_holds_over_its_classes(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    assert facts(bed, claim(bed, "vf-0", nic(OTHER), nic(MAC, ("nic",))))["mac"] == MAC


def test_what_is_for_another_request_or_another_driver_does_not_count(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    foreign = {"opaque": {"driver": "gpu.nvidia.com", "parameters": {"kind": "GpuConfig"}}}
    assert "mac" not in facts(bed, claim(bed, "vf-0", nic(MAC, ("other",)), foreign))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (nic("53:54:00:12:34:56"), "no address of a card"),
        (nic(ZERO), "no address of a card"),
        (nic("52-54-00-12-34-56"), "no address of a card"),
        (nic(MAC, vlan=7), "unknown field `vlan`"),
        (nic(MAC, kind="GpuConfig"), "Invalid enum value 'GpuConfig'"),
    ],
)
def test_a_configuration_that_is_not_understood_is_refused(config: dict[str, Any], told: str, tmp_path: Path) -> None:
    bed = machine(tmp_path)
    asked = claim(bed, "vf-0", config)
    with pytest.raises(ClaimError, match=told) as refused:
        bed.host.prepare(asked, asked.allocated)
    assert not refused.value.retry
    assert macs(bed) == [], "no function was made for it"


def test_two_functions_of_one_request_can_not_have_one_address(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    results = [{"request": "nic", "driver": "libvf.io", "pool": bed.pool, "device": f"vf-{n}"} for n in range(2)]
    allocation = {"devices": {"results": results, "config": [nic(MAC)]}}
    meta = {"name": "c", "namespace": "ns", "uid": f"{UID}1"}
    asked = parse({"metadata": meta, "status": {"allocation": allocation}})
    with pytest.raises(ClaimError, match="is for one function"):
        bed.host.prepare(asked, asked.allocated)


def test_an_address_for_what_is_no_network_function_is_refused(tmp_path: Path) -> None:
    bed = Claiming(PciHost(amd()), tmp_path, TWO)
    asked = claim(bed, "vf-0", nic(MAC))
    with pytest.raises(ClaimError, match=r"ask for one by class nic\.libvf\.io"):
        bed.host.prepare(asked, asked.allocated)


def test_a_driver_that_sets_no_addresses_is_told_with_the_cure_and_nothing_is_left(tmp_path: Path) -> None:
    bed = machine(tmp_path, deaf=True)
    asked = claim(bed, "vf-0", nic(MAC))
    with pytest.raises(Refused, match=r"\(Operation not supported\).* ask for a card whose driver sets addresses"):
        bed.host.prepare(asked, asked.allocated)
    assert isinstance(bed.kernel, PciHost)
    assert bed.kernel.pci.functions[PF].vfs == []
    assert bed.host.journal.uids() == []
    facts(bed, claim(bed, "vf-0", number=2))


def test_a_driver_that_is_not_ready_at_once_is_asked_again(tmp_path: Path) -> None:
    bed = machine(tmp_path, busy=2)
    assert facts(bed, claim(bed, "vf-0", nic(MAC)))["mac"] == MAC


def test_a_driver_that_never_gets_ready_is_busy() -> None:
    kernel = network(busy=10**6)
    kernel.write(f"sys/bus/pci/devices/{PF}/sriov_numvfs", "2")
    with pytest.raises(Busy):
        Effects(Sysfs(kernel), deadline=0.3).apply(Mac(PF, 0, MAC))


def test_where_a_driver_takes_no_zero_the_next_claim_writes_over_the_address(tmp_path: Path) -> None:
    bed = machine(tmp_path, strict=True)
    facts(bed, claim(bed, "vf-0", nic(MAC)))
    facts(bed, claim(bed, "vf-1", nic(OTHER), number=2))
    bed.host.unprepare(f"{UID}1")
    assert macs(bed) == [MAC, OTHER]
    assert facts(bed, claim(bed, "vf-0", nic("52:54:00:12:34:58"), number=3))["mac"] == macs(bed)[0]


def test_a_guest_that_changes_its_address_itself_is_not_lost_by_that(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    asked = claim(bed, "vf-0", nic(MAC))
    facts(bed, asked)
    bed.kernel.set_mac("eth0", 0, "02:00:00:00:00:99")
    assert bed.host.lost() == []
    facts(bed, asked)
    assert macs(bed)[0] == "02:00:00:00:00:99", "what is whole is not made again"
    bed.host.unprepare(f"{UID}1")
    assert macs(bed) == []


def test_a_link_that_is_moved_away_takes_no_function_from_its_guest(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    facts(bed, claim(bed, "vf-0", nic(MAC)))
    bed.kernel.tree.drop(f"{bed.kernel.real(f'sys/bus/pci/devices/{PF}')}/net/eth0")
    assert bed.host.lost() == []
    bed.host.unprepare(f"{UID}1")
    assert isinstance(bed.kernel, PciHost)
    assert bed.kernel.pci.functions[PF].vfs == []


def test_after_a_reboot_the_function_has_its_address_again(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    asked = claim(bed, "vf-0", nic(MAC))
    facts(bed, asked)
    bed.kernel.reboot()
    bed.restart()
    facts(bed, asked)
    assert macs(bed) == [MAC, ZERO]


def test_links_that_stand_for_functions_are_not_the_cards_own(tmp_path: Path) -> None:
    bed = machine(tmp_path, name="p0np0", port="p0")
    home = bed.kernel.real(f"sys/bus/pci/devices/{PF}")
    for number in range(2):
        bed.kernel.tree.text(f"{home}/net/eth{number}/type", "1")
        bed.kernel.tree.text(f"{home}/net/eth{number}/phys_port_name", f"pf0vf{number}")
    facts(bed, claim(bed, "vf-1", nic(MAC)))
    assert macs(bed, "p0np0") == [MAC, ZERO]


def test_a_card_for_infiniband_takes_no_ethernet_address(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    bed.kernel.tree.text(f"{bed.kernel.real(f'sys/bus/pci/devices/{PF}')}/net/eth0/type", "32")
    asked = claim(bed, "vf-0", nic(MAC))
    with pytest.raises(AgentError, match="no Ethernet link"):
        bed.host.prepare(asked, asked.allocated)


def test_the_claims_status_has_the_address_where_kubernetes_looks_for_it(tmp_path: Path) -> None:
    bed = machine(tmp_path)
    asked = claim(bed, "vf-0", nic(MAC))
    entry = bed.host.prepare(asked, asked.allocated)
    [device] = claim_status.carved(entry, "2026-11-25T16:00:00Z")
    assert device["networkData"] == {"hardwareAddress": MAC}
    assert device["data"]["mac"] == MAC


@pytest.mark.parametrize(("up", "told"), [(True, "the device is there"), (False, "ip link set eth0 up")])
def test_a_claim_says_that_its_cards_link_is_down_and_has_its_function_all_the_same(
    up: bool, told: str, tmp_path: Path
) -> None:
    bed = machine(tmp_path, up=up)
    asked = claim(bed, "vf-0", nic(MAC))
    [device] = claim_status.carved(bed.host.prepare(asked, asked.allocated), "2026-11-25T16:00:00Z")
    [condition] = device["conditions"]
    assert (condition["status"], device["data"]["linkUp"]) == ("True", up)
    assert condition["message"].endswith(told)
