"""Where a QEMU is, as the agent tells it and the operator judges it."""

from typing import Any

import pytest
from libvf_api import residence
from libvf_api.residence import Residence

WELL = Residence(("4", "5"), "0-1", {"0": 1100})


def test_it_comes_back_from_json_as_it_was() -> None:
    assert residence.of(residence.plain(WELL)) == WELL


@pytest.mark.parametrize("data", [None, {}, {"vcpus": "4"}, {"memory": {"0": "much"}}, [1]])
def test_what_is_not_understood_is_none(data: Any) -> None:
    assert residence.of(data) is None


def test_one_that_is_where_it_belongs_has_nothing_to_be_told() -> None:
    assert WELL.astray(0) == ""
    assert WELL.astray(1) == "of its memory 1100Mi on NUMA node 0"


def test_where_nothing_was_found_nothing_is_proved() -> None:
    assert Residence().astray(0) != ""
    assert Residence(("4",)).astray(0) != ""


def test_more_memory_on_the_same_node_is_no_news_and_memory_on_another_is() -> None:
    assert not Residence(("4", "5"), "0-1", {"0": 1200}).is_news(WELL)
    assert Residence(("4", "5"), "0-1", {"0": 1100, "1": 1}).is_news(WELL)
    assert Residence(("4", "6"), "0-1", {"0": 1100}).is_news(WELL)
