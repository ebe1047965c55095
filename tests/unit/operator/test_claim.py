"""What a GpuPartition asks the scheduler for."""

from typing import Any

import pytest
from libvf_operator import claim

TYPE = 'device.attributes["libvf.io"].?type.orValue("")'
CARDS = ("gpu.libvf.io", "open-gpu.libvf.io")


@pytest.mark.parametrize(
    ("glob", "test"),
    [
        ("nvidia-746", f'{TYPE} == "nvidia-746"'),
        ("nvidia-*", f'{TYPE}.startsWith("nvidia-")'),
        ("*-2Q", f'{TYPE}.endsWith("-2Q")'),
        ("a*b*c", f'{TYPE}.startsWith("a") && {TYPE}.contains("b") && {TYPE}.endsWith("c")'),
        ("*", f'{TYPE} != ""'),
    ],
)
def test_a_type_or_glob_becomes_plain_string_tests(glob: str, test: str) -> None:
    assert claim.selectors({"type": glob}) == [test]


def test_a_range_of_memory_compares_quantities_of_what_has_any() -> None:
    vram = 'device.capacity["libvf.io"].?vram.orValue(quantity("0"))'
    assert claim.selectors({"vram": {"min": "1Gi", "max": "4Gi"}}) == [
        'device.capacity["libvf.io"].?vram.hasValue()',
        f'{vram}.compareTo(quantity("1Gi")) >= 0',
        f'{vram}.compareTo(quantity("4Gi")) <= 0',
    ]


def test_an_open_card_is_asked_for_before_any_and_far_before_it() -> None:
    names = [each["name"] for each in alternatives(type="a")]
    assert (names[0], names[-1], len(names)) == ("open", "any", 8)
    assert real(type="a") == ["open", "any"]


def test_the_nearest_size_comes_first_where_a_larger_one_would_do() -> None:
    open_, near, any_ = (each for each in alternatives(vram={"min": "2Gi", "max": "8Gi"}) if each["count"] == 1)
    below = 'device.capacity["libvf.io"].?vram.orValue(quantity("0")).compareTo(quantity("4Gi")) < 0'
    assert [each["name"] for each in (open_, near, any_)] == ["open", "near", "any"]
    assert [below in expression(each) for each in (open_, near, any_)] == [True, True, False]


@pytest.mark.parametrize("vram", [{"min": "2Gi", "max": "2Gi"}, {"min": "2Gi", "max": "3Gi"}, {"max": "8Gi"}])
def test_a_request_that_no_other_size_can_meet_has_no_nearest_one(vram: dict[str, str]) -> None:
    assert real(vram=vram) == ["open", "any"]


def test_whether_a_card_is_open_is_asked_by_the_class_as_it_turns_most_down() -> None:
    opened, any_ = (each for each in alternatives(type="a", vendor="b") if each["count"] == 1)
    assert (opened["deviceClassName"], any_["deviceClassName"]) == ("open-gpu.libvf.io", "gpu.libvf.io")
    kind = 'device.attributes["libvf.io"].?{}.orValue("") == "{}"'
    expected = " && ".join([kind.format("type", "a"), kind.format("vendor", "b")])
    assert expression(opened) == expression(any_) == expected


def test_places_between_are_filled_with_what_no_node_has() -> None:
    for spec in ({}, {"fallback": "VirtioGpu"}, {"count": 2}, {"vram": {"min": "1Gi"}}):
        steps = [each for each in alternatives(**spec) if each["name"].startswith("step-")]
        assert {each["count"] for each in steps} == {33}
        assert len({each["name"] for each in alternatives(**spec)}) == 8


def test_several_slices_share_a_numa_node_where_the_cards_say_theirs() -> None:
    devices = claim.for_partition(partition(count=2))["spec"]["devices"]
    assert real(count=2) == ["open", "any", "open-anywhere", "anywhere"]
    assert devices["constraints"] == [
        {"matchAttribute": "resource.kubernetes.io/numaNode", "requests": ["gpu/open", "gpu/any"]}
    ]


@pytest.mark.parametrize("spec", [{}, {"count": 2}, {"vram": {"min": "1Gi"}}])
def test_a_virtual_gpu_is_the_last_of_as_many_alternatives_as_there_can_be(spec: dict[str, Any]) -> None:
    listed = alternatives(fallback="VirtioGpu", **spec)
    places = {each["name"]: place for place, each in enumerate(listed)}
    slices = [place for name, place in places.items() if name in real(**spec)]
    assert (len(listed), listed[-1]["name"], listed[-1]["count"]) == (8, "virtual-gpu", 1)
    assert max(slices) <= 5
    assert [each["name"] for each in listed if each["deviceClassName"] in CARDS] == real(**spec)


def alternatives(**spec: Any) -> list[dict[str, Any]]:
    [request] = claim.for_partition(partition(**spec))["spec"]["devices"]["requests"]
    return list(request["firstAvailable"])


def real(**spec: Any) -> list[str]:
    """Those that a card could meet."""
    return [each["name"] for each in alternatives(**spec) if each["deviceClassName"] in CARDS]


def expression(alternative: dict[str, Any]) -> str:
    [selector] = alternative["selectors"]
    return str(selector["cel"]["expression"])


def partition(**spec: Any) -> dict[str, Any]:
    meta = {"name": "desk-gpu", "namespace": "lab", "uid": "u"}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition", "metadata": meta, "spec": spec}
