"""Whether a VM with a virtual GPU could have a slice by now."""

from typing import Any

from libvf_api.offers import Offer
from libvf_operator import vacancy
from libvf_operator.allocated import Allocated
from libvf_operator.published import Published


def card(total: int, **sizes: int) -> list[dict[str, Any]]:
    """A card with so much of a counter, and a device of each of these sizes, in two slices of one pool."""
    pool = {"driver": "libvf.io", "pool": {"name": "n1-card"}}
    counters = {"name": "gpu0", "counters": {"vram": {"value": f"{total}Gi"}}}
    devices = [
        {
            "name": name,
            "attributes": {"kind": {"string": "gpu"}, "type": {"string": name}},
            "capacity": {"vram": {"value": f"{size}Gi"}},
            "consumesCounters": [{"counterSet": "gpu0", "counters": {"vram": {"value": f"{size}Gi"}}}],
        }
        for name, size in sizes.items()
    ]
    return [{"spec": {**pool, "sharedCounters": [counters]}}, {"spec": {**pool, "devices": devices}}]


def holding(device: str) -> dict[str, Any]:
    given = {"driver": "libvf.io", "pool": "n1-card", "device": device}
    meta = {"namespace": "lab", "name": f"of-{device}"}
    return {"metadata": meta, "status": {"allocation": {"devices": {"results": [given]}}}}


def instead(spec: dict[str, Any], offered: list[dict[str, Any]], taken: list[dict[str, Any]]) -> str:
    return vacancy.instead(spec, Published(offered), Allocated.of(taken))


def vacant(spec: dict[str, Any], offered: list[dict[str, Any]], taken: list[dict[str, Any]]) -> Offer | None:
    return vacancy.vacant(spec, Published(offered), Allocated.of(taken))


def test_a_free_slice_is_told_with_its_pool_and_the_restart_that_takes_it() -> None:
    words = instead({"type": "small"}, card(4, small=1), [])
    assert words == "small of pool n1-card is free by now: restart the machine to take it"


def test_who_has_them_is_told_while_none_is_free() -> None:
    words = instead({"type": "small"}, card(4, small=1), [holding("small")])
    assert words == "all 1 slices that are small are in use by lab/of-small: stop one, or ask for another"


def test_a_slice_that_its_card_has_no_room_for_is_not_free() -> None:
    assert vacant({"type": "large"}, card(4, small=1, large=4), [holding("small")]) is None
    free = vacant({"type": "middle"}, card(4, small=1, middle=3), [holding("small")])
    assert free is not None
    assert free.name == "middle"


def test_what_does_not_fit_is_not_offered_instead() -> None:
    assert vacant({"vram": {"min": "2Gi"}}, card(4, small=1), []) is None
