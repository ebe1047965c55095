"""A policy's status: what every node says of it in one word, with the cure."""

from __future__ import annotations

from typing import Any

import pytest
from libvf_api.policy_report import CardReport, PolicyReport, Reason, encode
from libvf_operator import policy
from libvf_operator.objects import Object, condition

CARD = "0000:65:00.0"
WAITS = CardReport(CARD, False, Reason.WAITING, "waits for ns/a on n1 0000:65:00.0: 1 whole card in use", ("ns/a",))


def thing(generation: int = 1, **status: Any) -> Object:
    meta = {"name": "p", "uid": "policy-uid", "generation": generation}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": meta, "spec": {}, "status": status}


def said(node: str, *cards: CardReport, generation: int = 1, uid: str = "policy-uid") -> Object:
    """The slice by which a node's agent tells."""
    text = encode([PolicyReport("other", "x", 1), PolicyReport("p", uid, generation, cards)])
    return carrier(node, text)


def carrier(node: str, text: str) -> Object:
    return {
        "metadata": {"name": f"{node}-kvm-libvf-0", "annotations": {"libvf.io/policies": text}},
        "spec": {"driver": "libvf.io", "nodeName": node},
    }


def card(reason: Reason, message: str = "", name: str = CARD, effective: bool = False) -> CardReport:
    return CardReport(name, effective, reason, message)


def well(name: str = CARD) -> CardReport:
    return CardReport(name, True, Reason.IN_FORCE)


def status(*slices: Object, of: Object | None = None) -> Object:
    users = {"ns/a": "VirtualMachine/desk"}
    return policy.status(of or thing(), policy.reports(slices), users.get)


def conditions(found: Object) -> dict[str, str]:
    return {c["type"]: c["status"] for c in found["conditions"]}


def ready(found: Object) -> tuple[str, str, str]:
    told = condition({"status": found}, "Ready")
    return told["status"], told["reason"], told["message"]


def test_in_force_on_all_nodes_is_ready_and_says_where() -> None:
    found = status(said("n2", well()), said("n1", well(), well("0000:b3:00.0")))
    assert ready(found) == ("True", "InForce", "in force on 3 of 3 cards, on 2 of 2 nodes")
    assert conditions(found) == {"Ready": "True", "Stalled": "False", "Reconciling": "False", "Conflicting": "False"}
    assert (found["selectedCards"], found["effectiveCards"]) == (3, 3)
    assert [(node["name"], len(node["cards"])) for node in found["nodes"]] == [("n1", 2), ("n2", 1)]
    assert policy.look_again(found) > policy.FRESH


def test_it_is_not_ready_until_every_node_has_read_this_generation() -> None:
    found = status(said("n1", well()), said("n2", well(), generation=6), of=thing(7))
    assert ready(found)[:2] == ("False", "Progressing")
    found = status(said("n1", well(), generation=7), said("n2", well(), generation=6), of=thing(7))
    assert ready(found)[2] == "1 of 2 nodes have read it; not yet n2"
    assert (conditions(found)["Reconciling"], found["observedGeneration"]) == ("True", 7)
    assert policy.look_again(found) == policy.FRESH


def test_what_was_said_of_a_namesake_made_anew_does_not_count() -> None:
    assert ready(status(said("n1", well(), uid="the one before")))[1] == "Progressing"


def test_waiting_names_the_claim_and_who_uses_it() -> None:
    found = status(said("n1", WAITS), said("n2", well()))
    assert ready(found) == ("False", "Waiting", f"{WAITS.message} (ns/a is used by VirtualMachine/desk)")
    assert conditions(found)["Reconciling"] == "True"
    [first, _] = found["nodes"]
    assert first["cards"] == [{"name": CARD, "effective": False, "reason": "Waiting", "message": WAITS.message}]


@pytest.mark.parametrize("reason", [Reason.OTHER_COUNT, Reason.NOT_UNDERSTOOD, Reason.CONFLICTING])
def test_what_somebody_must_mend_is_told_before_what_only_takes_time(reason: Reason) -> None:
    found = status(said("n1", WAITS), said("n2", card(reason, "words and cure")))
    assert ready(found) == ("False", reason.value, f"{CARD} on n2: words and cure")
    assert (conditions(found)["Stalled"], conditions(found)["Reconciling"]) == ("True", "False")
    assert conditions(found)["Conflicting"] == str(reason is Reason.CONFLICTING)


def test_one_that_is_shadowed_everywhere_is_well_and_says_by_which() -> None:
    found = status(said("n1", card(Reason.SHADOWED, "policy q wins by priority")))
    assert ready(found) == ("True", "Shadowed", f"{CARD} on n1: policy q wins by priority")
    assert (found["selectedCards"], found["effectiveCards"]) == (1, 0)


def test_one_that_selects_no_card_says_so() -> None:
    assert ready(status(said("n1"), said("n2")))[:2] == ("True", "NoCards")


def test_what_is_in_force_and_gives_nothing_is_told_with_the_reason() -> None:
    found = status(said("n1", card(Reason.NOTHING_TO_OFFER, "amdgpu has it", effective=True)))
    assert ready(found)[2] == f"in force on 1 of 1 cards, on 1 of 1 nodes; {CARD} on n1: amdgpu has it"


def test_without_agents_nobody_says_anything() -> None:
    assert ready(status())[1] == "NoAgent"


def test_what_an_agent_of_another_version_says_is_named_by_its_node() -> None:
    found = status(said("n1", well()), carrier("n2", '[{"name": 1}]'))
    assert ready(found)[:2] == ("False", "BadReport")
    assert "n2: " in ready(found)[2]
    assert "update the agent of this node" in ready(found)[2]


def test_slices_of_other_drivers_and_other_slices_of_ours_say_nothing() -> None:
    foreign, plain = said("n1", well()), said("n2", well())
    foreign["spec"]["driver"] = "gpu.example.com"
    del plain["metadata"]["annotations"]
    assert policy.reports([foreign, plain]) == []


def test_a_status_stays_small_however_many_nodes_there_are_and_shows_those_that_need_a_look() -> None:
    slices = [said(f"n{n:04}", *(well(f"0000:{bus:02x}:00.0") for bus in range(8))) for n in range(1000)]
    slices[777] = said("n0777", card(Reason.OTHER_COUNT, "m" * 700))
    found = status(*slices)
    assert "n0777" in {node["name"] for node in found["nodes"]}
    assert sum(len(node["cards"]) for node in found["nodes"]) <= policy.MOST_CARDS + 8
    assert (found["selectedCards"], found["effectiveCards"]) == (7993, 7992)
    assert len(str(found)) < 100_000


def test_the_same_again_changes_nothing() -> None:
    first = status(said("n1", WAITS))
    assert status(said("n1", WAITS), of=thing(**first)) == first
