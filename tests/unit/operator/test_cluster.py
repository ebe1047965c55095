"""Lists page by page, by a server that gives one object at a time."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from libvf_api.apiserver import ApiError
from libvf_operator.cluster import Cluster


class Server:
    """Has these objects, and remembers what it was asked for."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self.asked: list[dict[str, list[str]]] = []

    async def read(self, path: str) -> bytes:
        query = parse_qs(urlsplit(path).query)
        self.asked.append(query)
        at = int(query.get("continue", ["&0"])[0][1:])
        more = {"continue": f"&{at + 1}"} if at + 1 < len(self._names) else {}
        item = {"metadata": {"name": self._names[at], "resourceVersion": str(at + 1)}}
        return msgspec.json.encode({"metadata": {"resourceVersion": "9", **more}, "items": [item]})


async def test_a_list_is_read_to_its_end_with_what_it_is_asked_by() -> None:
    server: Any = Server("a", "b", "c")
    pages = [page async for page in Cluster(server).pages("/api/v1/pods?labelSelector=x%3Dy")]
    assert [item.place[1] for page in pages for item in page.items] == ["a", "b", "c"]
    assert {page.version for page in pages} == {9}
    assert [asked["labelSelector"] for asked in server.asked] == [["x=y"]] * 3
    assert [asked.get("continue") for asked in server.asked] == [None, ["&1"], ["&2"]]
    assert all(int(asked["limit"][0]) > 0 for asked in server.asked)


async def test_a_path_without_a_query_gets_one() -> None:
    server: Any = Server("a")
    pages = [page async for page in Cluster(server).pages("/api/v1/nodes")]
    assert [len(page.items) for page in pages] == [1]
    assert "limit" in server.asked[0]


async def test_what_is_no_list_is_the_api_servers_error_so_that_the_sweep_is_tried_again() -> None:
    class Proxy:
        async def read(self, path: str) -> bytes:
            return b"<html>try later</html>"

    server: Any = Proxy()
    with pytest.raises(ApiError, match="GET /api/v1/nodes: the answer is no list"):
        [page async for page in Cluster(server).pages("/api/v1/nodes")]
