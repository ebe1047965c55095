"""Why a claim waits, told from what is published and what is allocated."""

from typing import Any

from libvf_operator import explain


def slices(**offered: int) -> list[dict[str, Any]]:
    """One pool with so many devices of each type (underscores stand for dashes)."""
    devices = [
        {
            "name": f"{kind}-{number}",
            "attributes": {"kind": {"string": "gpu"}, "type": {"string": kind.replace("_", "-")}},
            "capacity": {"vram": {"value": "1Gi"}},
        }
        for kind, count in offered.items()
        for number in range(count)
    ]
    return [{"spec": {"driver": "libvf.io", "pool": {"name": "n1-card"}, "devices": devices}}]


def claim(name: str, device: str) -> dict[str, Any]:
    results = [{"driver": "libvf.io", "pool": "n1-card", "device": device}]
    return {
        "metadata": {"namespace": "lab", "name": name},
        "status": {"allocation": {"devices": {"results": results}}},
    }


def test_no_agent_publishes_anything() -> None:
    assert "is the libvf agent running" in explain.why({}, [], [], "")


def test_no_card_offers_the_type_and_those_that_are_offered_are_listed() -> None:
    said = explain.why({"type": "nvidia-746"}, slices(mdpy_xga=4, mdpy_hd=2), [], "")
    assert said == "no card offers nvidia-746; offered are mdpy-hd (2), mdpy-xga (4): ask for one of these"


def test_all_are_in_use_and_their_users_are_named() -> None:
    taken = [claim("a", "mdpy_xga-0"), claim("b", "mdpy_xga-1")]
    said = explain.why({"type": "mdpy-*"}, slices(mdpy_xga=2), taken, "")
    assert said == "all 2 slices that are mdpy-* are in use by lab/a, lab/b: stop one, or ask for another"


def test_a_range_of_memory_that_nothing_meets() -> None:
    assert "no card offers at least 2Gi" in explain.why({"vram": {"min": "2Gi"}}, slices(small=1), [], "")


def test_where_some_are_free_the_schedulers_own_words_are_given() -> None:
    said = explain.why({"type": "mdpy-xga"}, slices(mdpy_xga=2), [claim("a", "mdpy_xga-0")], "0/1 nodes are available")
    assert "1 of 2 slices that are mdpy-xga are not allocated" in said
    assert "0/1 nodes are available" in said
