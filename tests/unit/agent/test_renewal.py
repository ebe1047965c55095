"""How little is written when a pool changes, and that nobody ever sees half of a change."""

from typing import Any

from libvf_agent.renewal import renewed

Json = dict[str, Any]
TAINT = {"key": "libvf.io/draining", "effect": "NoSchedule"}


def device(name: str, open: bool = False, **more: Any) -> Json:
    return {"name": name, "attributes": {"open": {"bool": open}}, **more}


def pool(*slices: list[Json], generation: int = 0) -> list[Json]:
    head = {"name": "n1-card", "generation": generation, "resourceSliceCount": len(slices)}
    return [{"pool": head, "devices": devices} for devices in slices]


def published(*slices: list[Json], generation: int = 3) -> dict[int, Json]:
    return dict(enumerate(pool(*slices, generation=generation)))


def generations(written: dict[int, Json]) -> dict[int, int]:
    return {place: spec["pool"]["generation"] for place, spec in written.items()}


def test_what_is_published_already_is_not_written() -> None:
    assert renewed(pool([device("a")], [device("b")]), published([device("a")], [device("b")])) == {}


def test_one_slice_that_changed_is_written_in_place() -> None:
    written = renewed(pool([device("a")], [device("c")]), published([device("a")], [device("b")]))
    assert generations(written) == {1: 3}


def test_a_flip_of_open_is_written_in_place_however_many_slices_it_is_in() -> None:
    before = published([device("a")], [device("b")], [device("c")])
    written = renewed(pool([device("a", True)], [device("b", True)], [device("c")]), before)
    assert generations(written) == {0: 3, 1: 3}


def test_slices_that_must_be_read_together_get_a_new_generation_and_so_do_all_of_the_pool() -> None:
    before = published([device("a")], [device("b")], [device("c")])
    written = renewed(pool([device("x")], [device("y", True)], [device("c")]), before)
    assert generations(written) == {0: 4, 1: 4, 2: 4}


def test_a_pool_of_another_length_or_of_two_generations_is_written_anew() -> None:
    assert generations(renewed(pool([device("a")]), published([device("a")], [device("b")]))) == {0: 4}
    assert generations(renewed(pool([device("a")], [device("b")]), published([device("a")]))) == {0: 4, 1: 4}
    torn = {0: pool([device("a")], [device("b")], generation=3)[0], 1: pool([], [device("b")], generation=2)[1]}
    assert generations(renewed(pool([device("a")], [device("b")]), torn)) == {0: 4, 1: 4}


def test_the_time_that_the_api_server_adds_to_a_taint_is_no_news() -> None:
    since = {**TAINT, "timeAdded": "2026-11-24T10:00:00Z"}
    assert renewed(pool([device("a", taints=[TAINT])]), published([device("a", taints=[since])])) == {}


def test_a_taint_keeps_its_time_when_something_else_of_its_slice_changes() -> None:
    since = {**TAINT, "timeAdded": "2026-11-24T10:00:00Z"}
    new = {"key": "libvf.io/lost", "effect": "NoExecute"}
    written = renewed(pool([device("a", taints=[TAINT, new])]), published([device("a", taints=[since])]))
    assert written[0]["devices"][0]["taints"] == [since, new]
