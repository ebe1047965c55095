"""How cards fill up, by the real scheduler: the model that orders are tried with says the same, choice by choice."""

from pathlib import Path

import pytest
from libvf_api.apiserver import ApiServer

from bench.packing.ask import ALONE, OURS, Order
from bench.packing.cards import SMALL
from bench.packing.host import FakeHost
from bench.packing.play import first_fit, modelled, share
from bench.packing.real import all_played
from bench.packing.traces import SHAPES, trace
from lab.loopback import Api

pytestmark = pytest.mark.integration

SEEDS = (1, 2)


@pytest.fixture(autouse=True)
def kubeconfig(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))


@pytest.mark.parametrize("order", [OURS, ALONE], ids=lambda order: order.name)
async def test_every_choice_of_the_scheduler_is_one_that_the_model_allows(order: Order, tmp_path: Path) -> None:
    traces = [trace(shape, SMALL, 1.0, seed) for seed in SEEDS for shape in SHAPES]
    played = await all_played([(each, order) for each in traces], tmp_path)
    assert {each.name: one.surprises for each, one in zip(traces, played, strict=True) if one.surprises} == {}
    assert all(one.accepted for one in played)
    assert any(len(one.accepted) < len(each.requests) for each, one in zip(traces, played, strict=True))


async def test_our_order_accepts_more_than_the_scheduler_alone_and_first_fit_by_hand(tmp_path: Path) -> None:
    traces = [trace(shape, SMALL, 1.0, 3) for shape in SHAPES]
    played = await all_played([(each, OURS) for each in traces], tmp_path)
    accepted = sum(share(each, frozenset(mine.accepted)) for each, mine in zip(traces, played, strict=True))
    # the scheduler alone by the model, which the test above holds to it
    assert accepted > sum(share(each, modelled(each, ALONE)) for each in traces)
    assert accepted > sum(share(each, first_fit(each)) for each in traces)
    assert sum(one.slices + one.statuses for one in played) <= 2 * sum(one.carves for one in played)


async def test_a_drained_card_is_written_once_although_the_api_server_dates_its_taints(tmp_path: Path) -> None:
    server = await ApiServer.connect()
    host = FakeHost("drained", SMALL.hosts[0], server, tmp_path)
    policies = "/apis/libvf.io/v1alpha1/gpupolicies"
    policy = {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPolicy", "metadata": {"name": "drained"}}
    try:
        await host.begin()
        await server.create(policies, {**policy, "spec": {"cards": {"vendor": "nvidia"}, "drain": True}}, "test")
        assert await host.publish() > 0
        listed = await server.get("/apis/resource.k8s.io/v1/resourceslices", {"fieldSelector": "spec.nodeName=drained"})
        taints = [t for s in listed["items"] for d in s["spec"].get("devices", []) for t in d.get("taints", [])]
        assert taints
        assert all("timeAdded" in taint for taint in taints)
        assert await host.publish() == 0
    finally:
        await server.delete(f"{policies}/drained")
        await host.end()
        await server.close()
