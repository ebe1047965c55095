"""Policies at the real API server: what it refuses, what each node says, and a change that waits."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakekernel.cards import mdpy, nvidia
from tests.fakekernel.host import FakeHost
from tests.fakekernel.mdev import MediatedHost
from tests.fakekernel.pci import PciHost
from tests.fakekernel.situations import PF, amd
from tests.integration.conftest import REPOSITORY, Api
from tests.integration.fakenode import Json, Node, clear, machine, operating, placed, ready, results, until

pytestmark = pytest.mark.integration

FUNCTIONS: Json = {"modes": ["VirtualFunction"], "virtualFunctions": {"count": 4}}
WHOLE: Json = {"modes": ["Passthrough"], "takeFromHost": True}


def policy(name: str = "p", **spec: Any) -> Json:
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": {"name": name}, "spec": spec}


REFUSED = {
    "functions without their mode": (
        {"modes": ["Mediated"], "virtualFunctions": {"count": 2}},
        "spec.virtualFunctions needs",
    ),
    "taking without whole cards": (
        {"modes": ["Mediated"], "takeFromHost": True},
        "spec.takeFromHost needs Passthrough",
    ),
    "the screen without whole cards": (
        {"modes": [], "hostDisplay": "Take"},
        "spec.hostDisplay: Take needs Passthrough",
    ),
    "NVIDIA's words for Intel": (
        {"cards": {"vendor": "intel"}, "parameters": {"a": 1}},
        "spec.parameters are NVIDIA's",
    ),
    "mixed sizes on AMD": ({"cards": {"vendor": "amd"}, "heterogeneous": True}, "spec.heterogeneous is for NVIDIA"),
    "a card in and out": ({"cards": {"addresses": [PF]}, "exclude": [PF]}, "name the same card"),
    "In without values": (
        {"nodeSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
        "In and NotIn need values",
    ),
    "Exists with values": (
        {"nodeSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}},
        "In and NotIn need values",
    ),
    "an unknown vendor": ({"cards": {"vendor": "NVIDIA"}}, "cards.vendor must be nvidia, intel, amd"),
    "a PCI id that is none": ({"cards": {"devices": ["10DE:25B6"]}}, "as lspci -n prints it"),
    "an address without a domain": ({"cards": {"addresses": ["65:00.0"]}}, "as lspci -D prints it"),
    "an excluded address that is none": ({"exclude": ["65:00.0"]}, "as lspci -D prints it"),
    "an unknown mode": ({"modes": ["Timesliced"]}, 'supported values: "Mediated", "VirtualFunction", "Passthrough"'),
    "no functions": ({"virtualFunctions": {"count": 0}}, "spec.virtualFunctions.count"),
    "a size of zero": ({"virtualFunctions": {"count": 1, "sizes": [0]}}, "must be quantities above zero"),
    "a quantum that is none": ({"virtualFunctions": {"execQuantum": "5 ms"}}, "execQuantum must be whole milliseconds"),
    "a quantum below a millisecond": ({"virtualFunctions": {"execQuantum": "5us"}}, "execQuantum must be whole"),
    "a timeout that is none": ({"virtualFunctions": {"preemptTimeout": "1m"}}, "preemptTimeout must be whole"),
    "a reserve of nothing": ({"reserve": {"vram": "0"}}, "reserve.vram must be a quantity above zero"),
    "a card without memory": ({"vram": "none"}, "spec.vram must be a quantity above zero"),
    "parameters with a comma": ({"parameters": {"a": "1,b=2"}}, "spec.parameters: names and values have"),
    "a parameter's name with a blank": ({"parameters": {"a b": 1}}, "spec.parameters: names and values have"),
    "an unknown field": ({"mode": "Mediated"}, "unknown field"),
}


@pytest.fixture(scope="module", autouse=True)
def served(api: Api) -> None:
    """A definition is served a moment after it is accepted."""
    until(lambda: api.kubectl("get", "gpol").returncode == 0)


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_field_and_cure(api: Api, case: str) -> None:
    spec, words = REFUSED[case]
    answer = api.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(policy(**spec))
    )
    assert answer.returncode != 0, answer.stdout
    assert words in answer.stderr


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"modes": []},
        {"cards": {"vendor": "1b36", "addresses": ["0000:01:00.0", "mdpy"], "class": "Any"}, "exclude": [PF]},
        {"virtualFunctions": {"count": 8, "sizes": ["2Gi", 1073741824], "execQuantum": 5, "preemptTimeout": "500us"}},
        {"parameters": {"frame_rate_limiter": 0, "disable_vnc": "1"}, "vram": "24Gi", "reserve": {"vram": "1Gi"}},
    ],
)
def test_policies_that_mean_something_are_taken(api: Api, spec: Json) -> None:
    answer = api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(policy(**spec)))
    assert answer.returncode == 0, answer.stderr


# with agents and the operator


@pytest.fixture(scope="module")
def operator(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with operating(api, tmp_path_factory.mktemp("operator")):
        yield


@pytest.fixture
def nodes(api: Api, operator: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Node]]:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))

    def make(name: str, kernel: FakeHost) -> Node:
        node = Node(api, name, tmp_path / name, kernel)
        node.publish()
        return node

    yield make
    clear(api)


def until_reason(api: Api, reason: str, name: str = "p") -> Json:
    """Ready, once it has this reason for the generation that the policy is of."""

    def found() -> Json:
        told = ready(api, "gpol", name)
        current = told.get("observedGeneration") == api.get("gpol", name)["metadata"]["generation"]
        return told if current and told.get("reason") == reason else {}

    return dict(until(found))


def cards(api: Api, name: str = "p") -> dict[str, dict[str, str]]:
    """By node and card, why it is or is not in force."""
    listed = api.get("gpol", name)["status"].get("nodes", [])
    return {node["name"]: {card["name"]: card["reason"] for card in node["cards"]} for node in listed}


def test_every_node_tells_of_its_own_cards_and_none_of_them_wipes_another_ones_word(
    api: Api, nodes: Callable[..., Node]
) -> None:
    first, second = nodes("n1", MediatedHost(mdpy())), nodes("n2", MediatedHost(mdpy(), nvidia()))
    api.apply(policy())
    assert "of 2 nodes have read it" in until_reason(api, "Progressing")["message"]
    first.publish()
    assert "1 of 2 nodes have read it; not yet n2" in until(
        lambda: (told := ready(api, "gpol", "p")["message"]).startswith("1 of") and told
    )
    second.publish()
    assert until_reason(api, "InForce")["message"] == "in force on 3 of 3 cards, on 2 of 2 nodes"
    assert cards(api) == {"n1": {"mdpy": "InForce"}, "n2": {"mdpy": "InForce", PF: "InForce"}}
    api.apply(policy(types=["nvidia-*"]))
    for node in (second, first):
        node.publish()
    until_reason(api, "InForce")
    assert cards(api) == {"n1": {"mdpy": "NothingToOffer"}, "n2": {"mdpy": "NothingToOffer", PF: "InForce"}}
    line = api.done("get", "gpol", "p", "--no-headers").split()
    assert line[:5] == ["p", "True", "InForce", "3", "3"]


def test_the_example_is_in_force_where_its_cards_are_and_says_where_none_is(
    api: Api, nodes: Callable[..., Node]
) -> None:
    node = nodes("n1", MediatedHost(nvidia()))
    api.done("apply", "-f", str(REPOSITORY / "examples" / "policy.yaml"))
    node.publish()
    assert until_reason(api, "InForce", "nvidia")["message"] == "in force on 1 of 1 cards, on 1 of 1 nodes"
    for name in ("intel-arc", "workstations"):
        until_reason(api, "NoCards", name)


def test_a_node_that_is_gone_is_not_told_of_any_more(api: Api, nodes: Callable[..., Node]) -> None:
    for name in ("n1", "n2"):
        nodes(name, MediatedHost(mdpy()))
    api.apply(policy(nodeSelector={"matchLabels": {"pool": "none"}}))
    until_reason(api, "Progressing")
    api.done("delete", "resourceslices", "--all")  # as the garbage collector does with those of a Node
    until_reason(api, "NoAgent")


def test_two_that_disagree_are_both_told_and_the_older_holds(api: Api, nodes: Callable[..., Node]) -> None:
    node = nodes("n1", MediatedHost(mdpy()))
    api.apply(policy("older", types=["mdpy-xga"]))
    age = api.get("gpol", "older")["metadata"]["creationTimestamp"]
    api.apply(policy("newer", types=["mdpy-hd"]))
    same_second = api.get("gpol", "newer")["metadata"]["creationTimestamp"] == age
    node.publish()
    told = {name: until_reason(api, "Conflicting", name)["message"] for name in ("older", "newer")}
    winner, loser = ("newer", "older") if same_second else ("older", "newer")
    assert f"policy {loser} of the same rank says otherwise: set spec.priority" in told[winner]
    assert f"policy {winner} wins on mdpy" in told[loser]
    api.apply(policy("older", types=["mdpy-xga"], priority=1))
    node.publish()
    assert "by priority" in until_reason(api, "Shadowed", "newer")["message"]
    until_reason(api, "InForce", "older")


def test_a_change_waits_for_who_uses_the_card_and_takes_effect_when_it_is_free(
    api: Api, nodes: Callable[..., Node]
) -> None:
    kernel = PciHost(amd())
    api.apply(policy(**FUNCTIONS))
    node = nodes("n1", kernel)
    api.apply(machine("desk", mode="VirtualFunction"))
    claim = placed(api, "desk")
    node.prepare(claim)
    assert len(kernel.pci.functions[PF].vfs) == 4
    until_reason(api, "InForce")
    api.apply(policy(**WHOLE))
    node.publish()
    told = until_reason(api, "Waiting")["message"]
    assert told.startswith(f"waits for default/desk-gpu0 on n1 {PF}: 1 virtual function in use")
    assert "default/desk-gpu0 is used by VirtualMachine/desk" in told
    api.apply(machine("whole", mode="Passthrough"))
    until(lambda: ready(api, "vfvm", "whole").get("reason") == "Unschedulable")
    assert len(kernel.pci.functions[PF].vfs) == 4
    api.done("delete", "vfvm", "desk", "--wait")
    api.done("delete", "pod", "desk", "--force", "--grace-period=0", "--ignore-not-found")
    node.unprepare(claim)
    assert kernel.pci.functions[PF].vfs == []
    until_reason(api, "InForce")
    given = placed(api, "whole")
    assert [device["device"] for device in results(given)] == ["whole-0"]
    node.prepare(given)
    assert kernel.pci.functions[PF].driver == "vfio-pci"


# plain limits


def pod(name: str, **limits: int) -> Json:
    amounts = {f"libvf.io/{key.replace('_', '-')}": str(value) for key, value in limits.items()}
    container = {"name": "main", "image": "example/app:1", "resources": {"limits": amounts}}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


def given(api: Api, name: str) -> list[str]:
    """The memory of the devices that a Pod was given for its plain limits."""
    until(lambda: api.get("pod", name).get("spec", {}).get("nodeName"))
    status = until(lambda: api.get("pod", name)["status"].get("extendedResourceClaimStatus"))
    claim = api.get("resourceclaim", status["resourceClaimName"])
    slices = json.loads(api.done("get", "resourceslices", "-o", "json"))["items"]
    offered = {
        (piece["spec"]["pool"]["name"], device["name"]): device["capacity"]["vram"]["value"]
        for piece in slices
        for device in piece["spec"].get("devices", [])
        if "capacity" in device
    }
    return [offered[result["pool"], result["device"]] for result in results(claim)]


def test_a_plain_pod_asks_for_slices_in_its_limits(api: Api, nodes: Callable[..., Node]) -> None:
    nodes("n1", MediatedHost(mdpy()))
    node = nodes("n2", MediatedHost(nvidia()))
    api.apply(pod("one", slice_2g=1), pod("two", slice_2g=2))
    assert given(api, "one") == ["2Gi"]
    assert given(api, "two") == ["2Gi", "2Gi"]
    assert api.get("pod", "one")["spec"]["nodeName"] == "n2"
    name = api.get("pod", "one")["status"]["extendedResourceClaimStatus"]["resourceClaimName"]
    node.prepare(api.get("resourceclaim", name))
    [device] = api.get("resourceclaim", name)["status"]["devices"]
    assert (device["conditions"][0]["reason"], device["data"]["type"]) == ("Carved", "nvidia-702")


def test_a_whole_card_is_no_slice_and_is_asked_for_as_a_card(api: Api, nodes: Callable[..., Node]) -> None:
    api.apply(policy(vram="24Gi", **WHOLE))
    nodes("n1", PciHost(amd()))
    api.apply(pod("slice", slice_16g=1), pod("whole", card=1))
    assert given(api, "whole") == ["24Gi"]
    assert "nodeName" not in api.get("pod", "slice")["spec"]


@pytest.mark.parametrize(
    ("mode", "name"),
    [("Mediated", "mediated"), ("VirtualFunction", "function"), ("Passthrough", "passthrough")],
)
def test_each_way_of_carving_has_a_class(api: Api, nodes: Callable[..., Node], mode: str, name: str) -> None:
    api.apply(policy(virtualFunctions={"count": 2}, takeFromHost=True))
    nodes("n1", PciHost(amd()))
    nodes("n2", MediatedHost(mdpy()))
    request = {"name": "gpu", "exactly": {"deviceClassName": f"{name}.libvf.io"}}
    meta = {"name": "claim", "namespace": "default"}
    spec = {"devices": {"requests": [request]}}
    api.apply({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": meta, "spec": spec})
    user = pod("user")
    user["spec"]["resourceClaims"] = [{"name": "gpu", "resourceClaimName": "claim"}]
    user["spec"]["containers"][0]["resources"] = {"claims": [{"name": "gpu"}]}
    api.apply(user)
    [result] = results(placed(api, "user", "claim"))
    pools = {"Mediated": "n2-mdpy", "VirtualFunction": "n1-0000-65-00-0", "Passthrough": "n1-0000-65-00-0"}
    assert result["pool"] == pools[mode]
    assert result["device"].startswith("whole") == (mode == "Passthrough")
