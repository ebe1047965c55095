"""The cards of the scheduler's topic: what their agents publish, and the same as ordinary devices."""

from typing import Any

import pytest
from libvf_agent.slices import Node

from bench.scheduler import load
from bench.scheduler.cards import CARDS_A_NODE, Card, cards, plain

NODE = Node("node-0000", "uid")


def _card() -> Card:
    return Card(NODE, next(iter(cards().values())))


def _devices(slices: Any) -> dict[str, dict[str, Any]]:
    return {device["name"]: device for piece in slices for device in piece["spec"].get("devices", [])}


def _open(slices: Any) -> set[str]:
    return {name for name, device in _devices(slices).items() if device["attributes"]["open"]["bool"]}


def test_a_node_has_its_cards_each_a_pool_of_its_own() -> None:
    pools = {Card(NODE, gpu).pool for gpu in cards().values()}
    assert len(pools) == CARDS_A_NODE


def test_a_card_publishes_what_is_new_alone() -> None:
    card = _card()
    first = card.news()
    assert first
    assert card.news() == ()
    assert _open(first) == set()


def test_what_is_carved_opens_the_card_for_its_size() -> None:
    card = _card()
    device = next(name for name in _devices(card.news()) if name.endswith("-0"))
    card.carve(device)
    opened = card.news()
    assert device in _open(opened)
    assert len({piece["spec"]["pool"]["generation"] for piece in opened}) == 1
    assert card.news() == ()


def test_the_peer_has_the_same_devices_without_counters() -> None:
    slices = _card().news()
    peer = plain(slices)
    assert _devices(peer).keys() == _devices(slices).keys()
    assert not any("consumesCounters" in device for device in _devices(peer).values())
    assert not any("sharedCounters" in piece["spec"] for piece in peer)
    assert {piece["spec"]["pool"]["resourceSliceCount"] for piece in peer} == {len(peer)}
    assert all(len(piece["spec"]["devices"]) <= 128 for piece in peer)


def test_a_claim_of_ours_asks_first_for_a_card_that_is_open() -> None:
    [request] = load.sliced(0)["spec"]["devices"]["requests"]
    assert request["firstAvailable"][0]["name"] == "open"
    assert "exactly" in load.whole(0)["spec"]["devices"]["requests"][0]


def test_a_rate_is_of_what_came_after_the_first() -> None:
    assert load.rate([10.0, 11.0, 12.0]) == pytest.approx(1.0)


def test_a_machines_pod_is_drawn_to_its_like_as_the_operators_is() -> None:
    [rule] = load.machine(0)["spec"]["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert rule["podAffinityTerm"]["labelSelector"]["matchLabels"] == load.machine(0)["metadata"]["labels"]
    assert "affinity" not in load.pod(0)["spec"]
