"""What is left on each NUMA node, and why a machine waits for one."""

from typing import Any

from libvf_operator import explain, rooms, vacancy
from libvf_operator.allocated import Allocated
from libvf_operator.published import Published

Json = dict[str, Any]

CELL: Json = {"cpus": 2, "memory": "1Gi", "overhead": "256Mi"}
PREFERRED: Json = {**CELL, "policy": "Preferred"}
SPEC: Json = {"type": "mdpy-*", "cell": CELL}
NONE = Allocated.of([])


def published(host: str, *nodes: tuple[int, int], taint: str = "") -> Published:
    """Slices of a host: for each NUMA node so many CPUs, and so many slices of a card on it."""
    taints = {"taints": [{"key": taint, "effect": "NoSchedule"}]} if taint else {}
    capacity = [{"cpus": {"value": str(cpus)}, "memory": {"value": "8Gi"}} for cpus, _ in nodes]
    cells = [
        {"name": f"node{number}", "attributes": _on(number, kind="cell"), "capacity": amounts, **taints}
        for number, amounts in enumerate(capacity)
    ]
    cards = [
        _slice(host, f"{host}-card{number}", [_gpu(n, number) for n in range(count)])
        for number, (_, count) in enumerate(nodes)
    ]
    return Published([_slice(host, f"{host}-cell", cells), *cards])


def _slice(host: str, pool: str, devices: list[Json]) -> Json:
    return {"spec": {"driver": "libvf.io", "nodeName": host, "pool": {"name": pool}, "devices": devices}}


def _gpu(number: int, node: int) -> Json:
    return {"name": f"xga-{number}", "attributes": _on(node, kind="gpu", type="mdpy-xga")}


def _on(node: int, **texts: str) -> Json:
    attributes: Json = {key: {"string": text} for key, text in texts.items()}
    return {**attributes, "resource.kubernetes.io/numaNode": {"int": node}}


def claim(name: str, *results: Json) -> Json:
    allocation = {"devices": {"results": list(results)}}
    return {"metadata": {"name": name, "namespace": "lab"}, "status": {"allocation": allocation}}


def cell(host: str, node: int, cpus: int) -> Json:
    consumed = {"cpus": str(cpus), "memory": "1Gi"}
    return {"pool": f"{host}-cell", "device": f"node{node}", "consumedCapacity": consumed}


def gpu(host: str, node: int, number: int) -> Json:
    return {"pool": f"{host}-card{node}", "device": f"xga-{number}"}


def test_what_is_left_is_counted_by_amounts() -> None:
    allocated = Allocated.of([claim("a", cell("n1", 0, 2)), claim("b", cell("n1", 0, 1))])
    first, second = rooms.rooms(published("n1", (4, 1), (4, 1)), allocated)
    assert (first.left["cpus"], second.left["cpus"]) == (1, 4)
    assert first.left["memory"] == 6 << 30


def test_one_that_fits_only_across_two_nodes_is_told_so_with_what_each_has() -> None:
    allocated = Allocated.of(
        [claim("a", cell("n1", 0, 4), gpu("n1", 0, 0)), claim("b", cell("n1", 1, 4), gpu("n1", 1, 0))]
    )
    words = explain.why(SPEC, published("n1", (5, 2), (5, 2)), allocated, "0/1 nodes")
    assert words.startswith("no NUMA node has 1 x mdpy-*, 2 CPUs, 1280Mi memory together: ")
    assert "n1 NUMA node 0: 1 of 5 CPUs free; n1 NUMA node 1: 1 of 5 CPUs free" in words
    assert "it fits only across two NUMA nodes of n1: numa.policy Preferred runs it there" in words


def test_a_slice_here_and_cpus_there_is_across_two_too() -> None:
    words = explain.why(SPEC, published("n1", (1, 1), (4, 0)), NONE, "0/1 nodes")
    assert "n1 NUMA node 0: 1 of 1 CPUs free; n1 NUMA node 1: no free slice that would do" in words
    assert "only across two NUMA nodes of n1" in words


def test_hosts_that_have_not_enough_at_all_are_not_said_to_fit_across() -> None:
    words = explain.why(SPEC, published("n1", (1, 1), (0, 1)), NONE, "")
    assert "NUMA node 0: 1 of 1 CPUs free" in words
    assert "across" not in words


def test_a_node_that_has_it_all_leaves_the_word_to_the_scheduler() -> None:
    assert "the scheduler says: 0/2 nodes" in explain.why(SPEC, published("n1", (4, 1), (1, 1)), NONE, "0/2 nodes")


def test_who_only_prefers_it_waits_for_other_reasons() -> None:
    spec = {**SPEC, "cell": PREFERRED}
    assert "the scheduler says" in explain.why(spec, published("n1", (1, 1), (1, 1)), NONE, "full")


def test_nodes_that_kubelet_hands_out_itself_are_told() -> None:
    words = explain.why(SPEC, published("n1", (8, 1), taint="libvf.io/cpu-manager"), NONE, "")
    assert "n1 NUMA node 0: is kubelet's own to hand out" in words


def test_a_cell_alone_is_explained_without_slices() -> None:
    words = rooms.why(CELL, None, published("n1", (1, 0), (1, 0)), NONE)
    assert words.startswith("no NUMA node has 2 CPUs, 1280Mi memory together: n1 NUMA node 0: 1 of 1 CPUs free")
    assert "is the libvf agent there" in rooms.why(CELL, None, Published([]), NONE)


def test_a_free_slice_counts_only_where_its_node_has_room_for_the_cell() -> None:
    slices, busy = published("n1", (1, 1), (4, 1)), Allocated.of([claim("a", cell("n1", 1, 3))])
    found = vacancy.vacant(SPEC, slices, NONE)
    assert found is not None
    assert found.numa == 1
    assert vacancy.vacant(SPEC, slices, busy) is None
    assert vacancy.vacant({**SPEC, "cell": PREFERRED}, slices, busy) is not None
