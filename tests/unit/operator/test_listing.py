"""Pages of a list: which objects there are is read, what they say is not."""

from typing import Any

import msgspec
import pytest
from libvf_operator.listing import page


def text(*items: str, **meta: Any) -> bytes:
    head = msgspec.json.encode({"resourceVersion": "120", **meta})
    return b'{"kind":"PodList","metadata":%b,"items":[%b]}' % (head, ",".join(items).encode())


DESK = '{"metadata":{"name":"desk","namespace":"lab","resourceVersion":"7"},"spec":{"gpus":[1,2]}}'
NODE = '{"metadata":{"name":"n1","resourceVersion":"9","labels":{"a":"b"}},"status":{}}'


def test_a_page_tells_which_objects_there_are_and_of_which_version() -> None:
    found = page(text(DESK, NODE))
    assert [(item.place, item.version) for item in found.items] == [(("lab", "desk"), 7), (("", "n1"), 9)]
    assert (found.version, found.more) == (120, "")


def test_what_follows_is_asked_for_by_what_the_server_says() -> None:
    assert page(text(DESK, **{"continue": "eyJ2Ijoi", "remainingItemCount": 3})).more == "eyJ2Ijoi"


def test_an_item_becomes_an_object_with_its_kind() -> None:
    (item,) = page(text(DESK)).items
    assert item.document("Pod", "v1") == {"apiVersion": "v1", "kind": "Pod", **msgspec.json.decode(DESK)}


def test_what_an_object_says_is_not_looked_into_before_somebody_asks() -> None:
    """A number that Python cannot take is noticed by who unpacks it."""
    (item,) = page(text('{"metadata":{"name":"desk","resourceVersion":"7"},"spec":{"much":1e999}}')).items
    assert item.place == ("", "desk")
    with pytest.raises(msgspec.DecodeError):
        item.document("Pod", "v1")


def test_a_list_without_items_is_empty() -> None:
    assert page(b'{"metadata":{"resourceVersion":"5"},"items":null}').items == []


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="metadata"):
        page(b'{"kind":"Status","status":"Failure"}')
