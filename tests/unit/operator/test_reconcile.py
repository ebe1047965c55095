"""The sweeps over everything: what a watch could not tell is known by the next one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from libvf_operator import reconcile
from libvf_operator.listing import Page
from libvf_operator.pod import Settings
from libvf_operator.reconcile import Reconciler
from libvf_operator.store import KINDS

from tests.unit.operator import test_store

POD = {"kind": "Pod", "metadata": {"namespace": "lab", "name": "desk", "resourceVersion": "1"}, "spec": {}}


class Lists:
    """Answers each sweep with the next of these Pods."""

    def __init__(self, *pods: list[dict[str, Any]]) -> None:
        self._pods = list(pods)
        self.sweeps = 0
        self.all_read = asyncio.Event()

    async def pages(self, path: str) -> AsyncIterator[Page]:
        if path != KINDS["Pod"]:
            yield Page([], 1, "")
            return
        self.sweeps += 1
        found = self._pods.pop(0)
        if not self._pods:
            self.all_read.set()
            self._pods.append(found)
        for pod in found:
            yield Page([test_store.item(pod)], self.sweeps, "more")
        yield Page([], self.sweeps, "")


async def test_what_went_before_the_watch_of_its_kind_began_is_noticed_soon_after_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "_EARLY_SECONDS", (0.0,))
    lists: Any = Lists([POD], [])
    reconciler = Reconciler(lists, Settings("launcher"))
    sweeping = asyncio.create_task(reconciler.resync(seconds=600))
    await asyncio.wait_for(lists.all_read.wait(), 60)
    await asyncio.sleep(0)
    sweeping.cancel()
    assert reconciler.store.get("Pod", ("lab", "desk")) is None
    assert lists.sweeps == 2


async def test_what_is_news_does_not_wait_for_the_end_of_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    lists: Any = Lists([])
    reconciler = Reconciler(lists, Settings("launcher"))
    first, second, third, fresh = (("VirtualMachine", ("lab", name)) for name in ("first", "second", "third", "fresh"))
    looked: asyncio.Queue[Any] = asyncio.Queue()
    monkeypatch.setattr(reconciler, "_one", looked.put)
    sweeping = asyncio.create_task(reconciler.resync(seconds=600))
    await asyncio.wait_for(lists.all_read.wait(), 60)
    for item in (first, second, third):
        reconciler.add({item}, reconcile._SWEEP)
    for item in (third, fresh, third):
        reconciler.add({item})
    working = asyncio.create_task(reconciler.run())
    assert [await looked.get() for _ in range(4)] == [third, fresh, first, second]
    reconciler.add({first}, reconcile._SWEEP)
    assert await asyncio.wait_for(looked.get(), 60) == first
    assert looked.empty()
    for task in (sweeping, working):
        task.cancel()
