"""How often the agent writes to the API server while machines come and go: at most twice for each carve, on average."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from libvf_agent.backends.known import known
from libvf_agent.claims import ClaimRef
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.host import Host, Places
from libvf_agent.slices import pool_name
from libvf_agent.sysfs import Sysfs

from bench.packing.allocator import Given, Model
from bench.packing.ask import OURS, asked
from bench.packing.cards import Fleet, on_host
from bench.packing.play import steps
from bench.packing.traces import SHAPES, Request, Trace, trace
from tests.unit.agent.plugged import Cluster

Json = dict[str, Any]
SMALL = Fleet("one host", (("A2", "A2", "P40", "linear"),))


class Counted(Cluster):
    """An API server that counts what is written, and dates taints as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: Counter[str] = Counter()

    async def put_slice(self, body: Json) -> None:
        self.writes[body["spec"]["pool"]["name"]] += 1
        for device in body["spec"].get("devices", []):
            for taint in device.get("taints", []):
                taint.setdefault("timeAdded", "2026-11-24T10:00:00Z")
        await super().put_slice(body)

    async def delete_slice(self, name: str) -> None:
        self.writes["deleted"] += 1
        await super().delete_slice(name)

    async def apply_claim_status(self, body: Json) -> None:
        self.writes["claim status"] += 1
        await super().apply_claim_status(body)


class Agent:
    """The driver of a host, asked as kubelet asks; it publishes after every call, as if each came alone."""

    def __init__(self, folder: Path, kinds: tuple[str, ...]) -> None:
        self.cluster = Counted()
        places = Places(folder / "state", folder / "cdi", folder / "metadata")
        host = Host("n0", Doors(Sysfs(on_host(kinds)), lambda: True, lambda: None), known(), places)
        self._driver = Driver(host, self.cluster, call_seconds=1)

    async def publish(self) -> int:
        return await self._driver.publish()

    async def carve(self, number: int, pool: str, device: str) -> None:
        ref = self._ref(number)
        self.cluster.allocate(ref.name, ref.uid, {"request": "gpu/any", "pool": pool, "device": device})
        await self._driver.prepare(ref)
        await self.publish()

    async def release(self, number: int) -> None:
        await self._driver.unprepare(self._ref(number))
        await self.publish()

    def _ref(self, number: int) -> ClaimRef:
        return ClaimRef("ns", f"c{number}", f"0a1b2c3d-0000-4000-8000-{number:012}")


async def lived(folder: Path, made: Trace) -> tuple[Counter[str], int]:
    """The writes of a trace on one host, until the last machine has gone; and how many were carved."""
    agent, model, got = Agent(folder, made.fleet.hosts[0]), Model(made.fleet), dict[int, Given]()
    await agent.publish()
    agent.cluster.writes.clear()
    carved = 0

    async def end(number: int) -> None:
        await agent.release(number)
        model.release(got.pop(number), asked(made.requests[number], OURS))

    for ended, come in steps(made):
        for number in [number for number in ended if number in got]:
            await end(number)
        model.publish()
        for number in come:
            if choices := model.choices(wanted := asked(made.requests[number], OURS)):
                got[number] = choices[0]
                model.take(choices[0], wanted)
                await agent.carve(number, choices[0].pool, choices[0].device)
                carved += 1
    for number in list(got):
        await end(number)
    assert await agent.publish() == 0
    return agent.cluster.writes, carved


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_carve_costs_at_most_two_writes_on_average_its_own_status_among_them(
    tmp_path: Path, shape: str
) -> None:
    writes, carved = await lived(tmp_path, trace(shape, SMALL, 1.0, 1))
    assert writes["claim status"] == carved
    assert sum(writes.values()) <= 2 * carved


async def test_only_the_first_machine_on_a_card_and_the_last_are_news_for_others(tmp_path: Path) -> None:
    four = tuple(Request(4, 4, number) for number in range(4))
    writes, carved = await lived(tmp_path, Trace("four", Fleet("one card", (("A2",),)), 1.0, 0, four))
    assert carved == 4
    assert writes == {"claim status": 4, pool_name("n0", "0000:01:00.0"): 2}


async def test_a_machine_that_takes_a_whole_card_is_news_for_nobody(tmp_path: Path) -> None:
    whole = Trace("whole", Fleet("one card", (("A2",),)), 1.0, 0, (Request(16, 16, 0),))
    assert (await lived(tmp_path, whole))[0] == {"claim status": 1}


@pytest.mark.parametrize("policy", [{"drain": True}, {"modes": ["Mediated"]}])
async def test_policies_and_dated_taints_make_no_write_by_themselves(tmp_path: Path, policy: Json) -> None:
    agent = Agent(tmp_path, ("A2", "linear"))
    await agent.publish()
    await agent.carve(0, pool_name("n0", "0000:01:00.0"), "4-0")
    agent.cluster.rule(cards={}, **policy)
    assert await agent.publish() > 0
    assert await agent.publish() == 0
