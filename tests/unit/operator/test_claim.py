"""What a GpuPartition asks the scheduler for."""

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


def test_a_range_of_memory_compares_quantities() -> None:
    vram = 'device.capacity["libvf.io"].?vram.orValue(quantity("0"))'
    assert claim.selectors({"vram": {"min": "1Gi", "max": "4Gi"}}) == [
        f'{vram}.compareTo(quantity("1Gi")) >= 0',
        f'{vram}.compareTo(quantity("4Gi")) <= 0',
    ]
