"""Equal machines are placed beside each other before the agent has carved anything."""

from typing import Any

from libvf_operator import neighbours

FOUR = {"name": "gpu0", "vram": {"min": "4Gi", "max": "4Gi"}}


def test_machines_that_need_the_same_size_have_the_same_label_however_much_more_they_would_take() -> None:
    assert neighbours.labels([FOUR]) == neighbours.labels([{"name": "other", "vram": {"min": "4Gi", "max": "16Gi"}}])
    assert neighbours.labels([FOUR]) != neighbours.labels([{"name": "gpu0", "vram": {"min": "8Gi"}}])
    assert neighbours.labels([FOUR]) != neighbours.labels([FOUR, FOUR])


def test_the_label_is_one_that_the_api_server_takes() -> None:
    [(key, value)] = neighbours.labels([{"name": "gpu0", "type": "nvidia-*"}]).items()
    assert key == "libvf.io/slices"
    assert value.isalnum()
    assert len(value) <= 63


def test_a_machine_is_drawn_to_its_like_and_never_bound_to_it() -> None:
    affinity: Any = neighbours.affinity([FOUR])["podAffinity"]
    assert list(affinity) == ["preferredDuringSchedulingIgnoredDuringExecution"]
    [preferred] = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["podAffinityTerm"]["labelSelector"]["matchLabels"] == neighbours.labels([FOUR])


def test_a_machine_without_slices_of_its_own_is_drawn_to_nobody() -> None:
    assert neighbours.labels([]) == neighbours.affinity([]) == {}
    assert neighbours.labels([{"name": "gpu0", "partitionRef": "shared"}]) == {}
