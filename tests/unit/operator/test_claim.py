"""What a GpuPartition asks the scheduler for."""

from typing import Any

import pytest
from libvf_operator import claim

TYPE = 'device.attributes["libvf.io"].?type.orValue("")'


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


def test_an_open_card_is_asked_for_before_any() -> None:
    [request] = claim.for_partition(partition(type="a"))["spec"]["devices"]["requests"]
    assert [alternative["name"] for alternative in request["firstAvailable"]] == ["open", "any"]


def test_several_slices_share_a_numa_node_where_the_cards_say_theirs() -> None:
    devices = claim.for_partition(partition(count=2))["spec"]["devices"]
    names = [alternative["name"] for alternative in devices["requests"][0]["firstAvailable"]]
    assert names == ["open", "any", "open-anywhere", "anywhere"]
    assert devices["constraints"] == [
        {"matchAttribute": "resource.kubernetes.io/numaNode", "requests": ["gpu/open", "gpu/any"]}
    ]


def test_a_virtual_gpu_is_the_last_of_as_many_alternatives_as_there_can_be() -> None:
    for count, slices in ((1, 2), (2, 4)):
        [request] = claim.for_partition(partition(fallback="VirtioGpu", count=count))["spec"]["devices"]["requests"]
        alternatives = request["firstAvailable"]
        assert len(alternatives) == 8
        assert [a["name"] for a in alternatives if a["deviceClassName"] == "gpu.libvf.io"] == [
            a["name"] for a in alternatives[:slices]
        ]
        assert {a["count"] for a in alternatives[slices:-1]} == {33}
        assert alternatives[-1]["name"] == "virtual-gpu"
        assert alternatives[-1]["count"] == 1


def partition(**spec: Any) -> dict[str, Any]:
    meta = {"name": "desk-gpu", "namespace": "lab", "uid": "u"}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "GpuPartition", "metadata": meta, "spec": spec}
