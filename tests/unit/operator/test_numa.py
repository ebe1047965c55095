"""A VM that asks for one NUMA node: what its claim asks, what its Pod asks, and when it is said to be aligned."""

from typing import Any

import pytest
from libvf_operator import alignment, cell, claim, machine, machine_status, numa, partition, pod
from libvf_operator.machine import Observed

Json = dict[str, Any]

SETTINGS = pod.Settings("example/launcher:1")
NODE = "resource.kubernetes.io/numaNode"


def vm(policy: str | None = "Aligned", **spec: Any) -> Json:
    body = {"memory": {"size": "1Gi"}, "gpus": [{"name": "gpu0", "type": "mdpy-xga"}], "cpu": {"cores": 2}, **spec}
    meta = {"name": "desk", "namespace": "lab", "uid": "uid-desk", "generation": 1}
    wish = {"numa": {"policy": policy}} if policy else {}
    return {"apiVersion": "libvf.io/v1alpha1", "kind": "VirtualMachine", "metadata": meta, "spec": {**body, **wish}}


def made(thing: Json) -> Json:
    """The partition of its GPU, as the API server keeps it."""
    part = partition.for_gpu(thing, thing["spec"]["gpus"][0])
    part["metadata"] |= {"uid": "uid-part", "generation": 1}
    return part


def devices(thing: Json) -> Json:
    found: Json = claim.for_partition(made(thing))["spec"]["devices"]
    return found


def names(request: Json) -> list[str]:
    """The alternatives but for those that only make room between others."""
    listed = [alternative["name"] for alternative in request["firstAvailable"]]
    return [name for name in listed if not name.startswith("step-")]


def test_slice_cpus_and_memory_are_one_claim_held_to_one_numa_node() -> None:
    asked = devices(vm())
    gpu, beside = asked["requests"]
    assert names(gpu) == ["open", "any"]
    assert beside == {
        "name": "cell",
        "exactly": {
            "allocationMode": "ExactCount",
            "count": 1,
            "deviceClassName": "cell.libvf.io",
            "capacity": {"requests": {"cpus": "2", "memory": "1216Mi"}},
        },
    }
    assert asked["constraints"] == [{"matchAttribute": NODE, "requests": ["gpu/open", "gpu/any", "cell"]}]


def test_huge_pages_are_taken_of_the_node_and_plain_memory_for_the_rest() -> None:
    [_, beside] = devices(vm(memory={"size": "1Gi", "hugepages": "2Mi"}))["requests"]
    assert beside["exactly"]["capacity"]["requests"] == {"cpus": "2", "hugepages2Mi": "1Gi", "memory": "192Mi"}


def test_what_is_preferred_may_be_apart_and_last_without_a_cell() -> None:
    asked = devices(vm("Preferred"))
    gpu, beside = asked["requests"]
    assert names(gpu) == ["open", "any", "open-apart", "any-apart"]
    assert names(beside) == ["bound", "floating"]
    assert beside["firstAvailable"][1]["deviceClassName"] == "floating.libvf.io"
    assert asked["constraints"] == [
        {"matchAttribute": NODE, "requests": ["gpu/open", "gpu/any", "cell/bound"]},
        {"matchAttribute": "libvf.io/kind", "requests": ["gpu/open", "gpu/any", "cell/floating"]},
    ]


def test_several_slices_are_with_the_cell_and_unknown_cards_only_where_it_is_preferred() -> None:
    part = made(vm())
    part["spec"] |= {"count": 2}
    assert names(claim.for_partition(part)["spec"]["devices"]["requests"][0]) == ["open", "any"]
    part["spec"]["cell"] |= {"policy": "Preferred"}
    asked = claim.for_partition(part)["spec"]["devices"]
    assert names(asked["requests"][0]) == ["open", "any", "open-apart", "any-apart", "open-anywhere", "anywhere"]
    assert {"matchAttribute": NODE, "requests": ["gpu/open-apart", "gpu/any-apart"]} in asked["constraints"]


def test_a_virtual_gpu_still_comes_last_of_eight() -> None:
    gpu = devices(vm("Preferred", graphics={"fallback": "VirtioGpu"}))["requests"][0]
    assert len(gpu["firstAvailable"]) == 8
    assert names(gpu)[-1] == "virtual-gpu"


@pytest.mark.parametrize("policy", [None, "None"])
def test_a_machine_that_does_not_care_asks_as_before(policy: str | None) -> None:
    assert [request["name"] for request in devices(vm(policy))["requests"]] == ["gpu"]
    assert "constraints" not in devices(vm(policy))


@pytest.mark.parametrize("spec", [{"gpus": []}, {"graphics": {"mode": "Disabled"}}])
def test_a_machine_without_gpus_has_a_claim_of_its_own_on_a_cell(spec: Json) -> None:
    thing = vm(**spec)
    assert "desk-cell" in {c["metadata"]["name"] for c in machine.desired(thing, Observed(), SETTINGS).create}
    entry = {"kind": "cell", "name": "cell", "claim": "desk-cell", "request": "cell"}
    assert entry in pod.launch_document(thing)["devices"]
    assert pod.launch_document(vm())["devices"] == []


def test_its_pod_asks_for_the_cell_and_the_overhead() -> None:
    resources = pod.for_machine(vm(), SETTINGS)["spec"]["containers"][0]["resources"]
    assert resources["requests"]["cpu"] == "2100m"
    assert "cpu" not in resources["limits"]
    cells = numa.cell(vm()["spec"])
    assert 0 <= cell.amounts(cells)["memory"] - int(resources["limits"]["memory"]) < 1 << 20
    huge = pod.for_machine(vm(memory={"size": "1Gi", "hugepages": "2Mi"}), SETTINGS)["spec"]["containers"][0]
    assert huge["resources"]["limits"]["hugepages-2Mi"] == str(1 << 30)


def test_another_size_makes_the_claim_on_a_cell_anew_and_the_api_servers_words_do_not() -> None:
    thing = vm(gpus=[])
    claims = {c["metadata"]["name"]: c for c in machine.desired(thing, Observed(), SETTINGS).create}
    claims["desk-cell"]["spec"]["devices"]["requests"][0]["exactly"]["capacity"]["requests"]["memory"] = str(1216 << 20)
    seen = Observed(claims=claims)
    assert [c["kind"] for c in machine.desired(thing, seen, SETTINGS).create] == ["Pod"]
    larger = vm(gpus=[], memory={"size": "2Gi"})
    assert [c["metadata"]["name"] for c in machine.desired(larger, seen, SETTINGS).delete] == ["desk-cell"]


WITHOUT: Json = {"type": "mdpy-xga"}
ENOUGH: Json = {"cpus": 2, "memory": "1Gi", "overhead": "192Mi"}


@pytest.mark.parametrize(
    ("policy", "cells", "words"),
    [
        (
            "Aligned",
            None,
            "it has no cell to be aligned with: make it anew with cell: {cpus: 2, memory: 1Gi, overhead: 1",
        ),
        ("None", ENOUGH, "set spec.numa.policy to Aligned"),
        ("Aligned", {**ENOUGH, "cpus": 1}, "too little cpus"),
        ("Aligned", {"cpus": 2, "memory": "1Gi"}, "too little overhead"),
        ("Aligned", {**ENOUGH, "hugepages": "2Mi"}, "other pages"),
        ("Preferred", ENOUGH, "its cell is Aligned and spec.numa.policy is Preferred"),
        ("Preferred", {**ENOUGH, "policy": "Preferred"}, ""),
        ("Aligned", ENOUGH, ""),
        ("None", None, ""),
    ],
)
def test_a_partition_by_name_must_have_the_cell_that_the_machine_asks_for(
    policy: str, cells: Json | None, words: str
) -> None:
    thing = vm(policy, gpus=[{"name": "gpu0", "partitionRef": "desk-gpu0"}])
    part = {**made(vm()), "spec": {**WITHOUT, **({"cell": cells} if cells else {})}}
    own = claim.for_partition(part)
    seen = Observed(partitions={"desk-gpu0": part}, claims={"desk-gpu0": own, "desk-kvm": claim.for_kvm(thing)})
    block = machine.blocked(thing, seen)
    assert (block.reason if block else "") == ("CellMismatch" if words else "")
    assert words in (block.message if block else "")


CELL: Json = {"kind": "cell", "numaNode": 1, "cpus": "5,13", "sharedCpus": "4"}
SLICE: Json = {"type": "mdpy-xga", "parent": "0000:65:00.0", "numaNode": 1}
SEEN: Json = {"vcpus": ["5", "13"], "others": "4", "memory": {"1": 1100}}


def told(*data: Json, policy: str = "Aligned", running: bool = True) -> tuple[Json, Json]:
    """Condition NumaAligned and status.numa of a VM whose claim became these."""
    thing = vm(policy)
    own = became(claim.for_partition(made(thing)), *data)
    launcher = pod.for_machine(thing, SETTINGS)
    launcher["metadata"]["uid"] = "uid-desk"
    seen = Observed(pod=launcher if running else None, claims={"desk-gpu0": own})
    status = machine_status.status(thing, seen)
    return {c["type"]: c for c in status["conditions"]}[alignment.CONDITION], status.get("numa", {})


def became(claimed: Json, *data: Json) -> Json:
    listed = [{"driver": "libvf.io", "pool": "p", "device": "d", "data": one} for one in data]
    return {**claimed, "status": {"devices": listed}}


def test_it_is_aligned_only_when_that_was_seen_in_proc() -> None:
    condition, _ = told(SLICE, CELL)
    assert (condition["status"], condition["reason"]) == ("Unknown", "NotSeen")
    condition, numbers = told(SLICE, {**CELL, "residence": SEEN})
    assert (condition["status"], condition["reason"]) == ("True", "Seen")
    assert "GPU, CPUs 5, 13 and 1100Mi of memory are on NUMA node 1" in condition["message"]
    read = {"pinned": ["5", "13"], "memory": [{"node": 1, "size": "1100Mi"}]}
    assert numbers == {"node": 1, "cpus": "5,13", "sharedCpus": "4", **read}


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        ([{**SLICE, "numaNode": 0}, {**CELL, "residence": SEEN}], "GpuApart", "its GPU is on NUMA node 0"),
        ([{"type": "mdpy-xga", "parent": "mdpy"}, CELL], "GpuApart", "an unknown NUMA node"),
        ([SLICE, {"kind": "floating"}], "NotBound", "no NUMA node had its CPUs and its memory"),
        ([SLICE, {**CELL, "residence": {**SEEN, "vcpus": ["5", "4-7"]}}], "Astray", "may run on several CPUs (4-7)"),
        ([SLICE, {**CELL, "residence": {**SEEN, "vcpus": ["5", "5"]}}], "Astray", "2 virtual CPUs share 1 CPUs"),
        ([SLICE, {**CELL, "residence": {**SEEN, "memory": {"1": 9, "0": 3}}}], "Astray", "3Mi on NUMA node 0"),
    ],
)
def test_it_is_told_why_it_is_not(data: list[Json], reason: str, words: str) -> None:
    condition, _ = told(*data, policy="Preferred")
    assert (condition["status"], condition["reason"]) == ("False", reason)
    assert words in condition["message"]


def test_a_virtual_gpu_is_nowhere() -> None:
    condition, _ = told({"kind": "virtual-gpu", "type": "virtio-gpu"}, {**CELL, "residence": SEEN})
    assert condition["status"] == "True"


def test_it_is_not_known_without_a_pod_and_not_said_of_who_does_not_ask() -> None:
    condition, numbers = told(SLICE, CELL, running=False)
    assert (condition["status"], condition["reason"], numbers) == ("Unknown", "NotPrepared", {})
    thing = vm(None)
    assert alignment.CONDITION not in {c["type"] for c in machine_status.status(thing, Observed())["conditions"]}


def test_a_partitions_status_tells_its_cell_apart_from_its_slices() -> None:
    part = made(vm())
    own = became(claim.for_partition(part), {**SLICE, "vram": 1 << 30}, CELL)
    status = partition.status(part, own, None, "")
    assert [one["type"] for one in status["devices"]] == ["mdpy-xga"]
    assert status["cell"] == {"numaNode": 1, "cpus": "5,13", "sharedCpus": "4"}
