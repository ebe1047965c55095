"""`kubectl vf explain-pending`: for each card and type, from what is published and allocated."""

import json
from typing import Any

import pytest
from libvf_cli import pending
from libvf_cli.__main__ import main
from libvf_cli.pending import Cluster

from tests.unit.cli.conftest import Kubectl

SAID = "0/2 nodes are available: cannot allocate all claims"


def device(name: str, kind: str, vram: str, takes: int = 0) -> dict[str, Any]:
    attributes = {"kind": "gpu", "type": kind, "vendor": "nvidia", "mode": "Mediated", "parent": "0000:65:00.4"}
    counters = [{"counterSet": "gpu0", "counters": {"vram": {"value": str(takes)}}}] if takes else []
    return {
        "name": name,
        "attributes": {key: {"string": value} for key, value in attributes.items()},
        "capacity": {"vram": {"value": vram}},
        "consumesCounters": counters,
    }


def slices(*devices: dict[str, Any], node: str = "n1", room: int = 0) -> list[dict[str, Any]]:
    spec = {"driver": "libvf.io", "nodeName": node, "pool": {"name": f"{node}-card"}}
    shared = {"sharedCounters": [{"name": "gpu0", "counters": {"vram": {"value": str(room)}}}]}
    return [{"spec": {**spec, **shared}}, {"spec": {**spec, "devices": list(devices)}}]


def claim(name: str, device: str) -> dict[str, Any]:
    results = [{"driver": "libvf.io", "pool": "n1-card", "device": device}]
    meta = {"namespace": "team", "name": name}
    return {"metadata": meta, "status": {"allocation": {"devices": {"results": results}}}}


def machine(reason: str = "Unschedulable", ready: str = "False") -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "reason": reason, "message": "words"}
    status = {"conditions": [condition], "partitions": [{"gpu": "gpu0", "name": "lab-gpu0"}]}
    return {"metadata": {"name": "lab", "namespace": "team"}, "spec": {}, "status": status}


def partition(consumer: str = "", **spec: Any) -> dict[str, Any]:
    status = {"conditions": [], **({"consumer": consumer} if consumer else {})}
    return {"metadata": {"name": "lab-gpu0", "namespace": "team"}, "spec": spec, "status": status}


POD = {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": SAID}]}}


def rows(published: list[dict[str, Any]], *claims: dict[str, Any], **spec: Any) -> list[tuple[str, str, str]]:
    account = pending.of_machine(machine(), [partition(**spec)], Cluster(published, list(claims)), POD)
    assert account.waits
    [wait] = account.slices
    return [(row.type, f"{row.free}/{row.offered}", row.why) for row in wait.rows]


def test_another_type_and_another_size_are_told_by_name() -> None:
    published = slices(device("a", "nvidia-745", "2Gi"), device("b", "nvidia-746", "4Gi"))
    assert rows(published, type="nvidia-746", vram={}) == [
        ("nvidia-746", "1/1", "fits and is free: the node lacks something else, which the scheduler names"),
        ("nvidia-745", "1/1", "is another type"),
    ]
    assert rows(published, vram={"min": "8Gi"}) == [
        ("nvidia-745", "1/1", "(2Gi) is too small"),
        ("nvidia-746", "1/1", "(4Gi) is too small"),
    ]


def test_a_type_that_is_taken_is_told_with_who_has_it() -> None:
    assert rows(slices(device("a", "x", "2Gi")), claim("desk-gpu0", "a"), type="x") == [
        ("x", "0/1", "all are in use by team/desk-gpu0")
    ]


def test_a_type_that_does_not_fit_beside_others_on_its_card_is_told_so() -> None:
    published = slices(device("a", "x", "4Gi", takes=4), device("b", "y", "6Gi", takes=6), room=8)
    assert rows(published, claim("desk-gpu0", "a"), type="y") == [
        ("y", "1/1", "does not fit on the card beside team/desk-gpu0"),
        ("x", "0/1", "is another type"),
    ]
    assert "is free" in rows(published, type="y")[0][2]


def test_what_runs_or_rests_waits_for_nothing() -> None:
    for told in (machine("Running", "True"), machine("Halted"), machine("Completed")):
        account = pending.of_machine(told, [partition()], Cluster([], []), POD)
        assert (account.waits, account.slices) == (False, ())


def test_a_partition_that_nobody_uses_does_not_wait_but_one_that_a_pod_wants_does() -> None:
    assert not pending.of_partition(partition(), Cluster([], [])).waits
    wanted = pending.of_partition(partition("Pod/train"), Cluster(slices(device("a", "x", "2Gi")), []), SAID)
    assert wanted.waits
    assert wanted.slices[0].scheduler == SAID


def test_people_get_a_table_below_each_request(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("get", "gpupartitions.libvf.io", output={"items": [partition(type="y")]})
    kubectl.answers("get", "virtualmachines.libvf.io", output=machine())
    kubectl.answers("get", "pod", output=POD)
    kubectl.answers("get", "resourceslices.resource.k8s.io", output={"items": slices(device("a", "x", "2Gi"))})
    kubectl.answers("get", "resourceclaims.resource.k8s.io", output={"items": []})
    assert main(["explain-pending", "lab"]) == 1
    assert capsys.readouterr().out == (
        "VirtualMachine lab waits: Unschedulable: words\n"
        f"  lab-gpu0 asks for y; the scheduler says: {SAID}\n"
        "    NODE   CARD           TYPE   VRAM   FREE   WHY NOT\n"
        "    n1     0000:65:00.4   x      2Gi    1/1    is another type\n"
    )


def test_who_may_not_see_cards_is_told_what_the_operator_says(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers("get", "gpupartitions.libvf.io", output={"items": []})
    kubectl.answers("get", "virtualmachines.libvf.io", output={"items": [machine()]})
    kubectl.answers("get", "pod", code=1)
    kubectl.answers("get", "resourceslices.resource.k8s.io", errors="(Forbidden): no", code=1)
    assert main(["explain-pending", "-o", "json"]) == 1
    told = capsys.readouterr()
    [account] = json.loads(told.out)["accounts"]
    assert (account["reason"], account["message"], account["slices"]) == ("Unschedulable", "words", [])
    assert "ask for the right to list resourceslices" in told.err
