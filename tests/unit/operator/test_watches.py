"""A watch goes on where it broke, and lists again only when the server has forgotten where that was."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from libvf_api.apiserver import ApiError
from libvf_operator import watches
from libvf_operator.cluster import Page
from libvf_operator.store import Store, Work
from libvf_operator.watches import Watch

from tests.unit.operator.test_machine import vm
from tests.unit.operator.test_store import at

Json = dict[str, Any]


class Server:
    """Answers as it is told: a list is pages, a watch events or an error; when all is told it is silent."""

    def __init__(self, lists: list[list[Page]], streams: list[list[Json | ApiError]]) -> None:
        self.lists, self.streams = lists, streams
        self.asked: list[str] = []
        self.done = asyncio.Event()

    async def pages(self, path: str, query: Json) -> AsyncIterator[Page]:
        self.asked.append("list")
        for page in self.lists.pop(0):
            yield page

    async def since(self, path: str, query: Json, version: str, seconds: int) -> AsyncIterator[Json]:
        self.asked.append(f"watch {version}")
        if not self.streams:
            self.done.set()
            await asyncio.Event().wait()
        for event in self.streams.pop(0):
            if isinstance(event, ApiError):
                raise event
            yield event


class Told:
    """Stands where the reconciler does."""

    def __init__(self) -> None:
        self.store = Store()
        self.work: list[set[Work]] = []
        self.kinds: list[str] = []

    def add(self, work: set[Work]) -> None:
        self.work.append(work)

    def listed(self, kind: str) -> None:
        self.kinds.append(kind)

    @property
    def names(self) -> set[str]:
        return {name for _, name in self.store.shelves["VirtualMachine"].places()}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_PAUSE", 0.0)


async def watched(server: Server) -> Told:
    told = Told()
    task = asyncio.create_task(Watch("VirtualMachine", server, told).run())
    await asyncio.wait_for(server.done.wait(), 5)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return told


def page(version: str, *names: str) -> Page:
    things = [at(int(version), vm(name)) for name in names]
    return Page([{key: thing[key] for key in ("metadata", "spec")} for thing in things], version)


def event(kind: str, version: int, name: str) -> Json:
    return {"type": kind, "object": at(version, vm(name))}


BOOKMARK = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "40"}}}


async def test_a_list_comes_in_pages_and_then_what_changes() -> None:
    server = Server([[page("10", "a", "b"), page("10", "c")]], [[event("ADDED", 11, "d"), event("DELETED", 12, "a")]])
    told = await watched(server)
    assert told.names == {"b", "c", "d"}
    assert told.kinds == ["VirtualMachine"]
    found = told.store.get("VirtualMachine", ("lab", "b"))
    assert found
    assert (found["kind"], found["apiVersion"]) == ("VirtualMachine", "libvf.io/v1alpha1")


async def test_a_watch_that_ends_goes_on_where_it_was() -> None:
    server = Server([[page("10", "a")]], [[event("MODIFIED", 11, "a")], [BOOKMARK], []])
    await watched(server)
    assert server.asked == ["list", "watch 10", "watch 11", "watch 40", "watch 40"]


async def test_a_connection_that_breaks_loses_nothing() -> None:
    server = Server([[page("10", "a")]], [[event("ADDED", 11, "b"), ApiError("the connection broke")], []])
    told = await watched(server)
    assert server.asked == ["list", "watch 10", "watch 11", "watch 11"]
    assert told.names == {"a", "b"}


async def test_what_vanished_while_nobody_watched_is_gone_after_the_next_list() -> None:
    server = Server([[page("10", "a", "b")], [page("90", "b")]], [[ApiError("too old resource version", 410)]])
    told = await watched(server)
    assert server.asked == ["list", "watch 10", "list", "watch 90"]
    assert told.names == {"b"}
    assert told.work[-1] == {("VirtualMachine", ("lab", "a"))}
