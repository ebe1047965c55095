"""What a GpuPartition says of itself."""

from typing import Any

from libvf_operator import claim, partition

from tests.unit.operator.test_claim import partition as asked


def told(part: dict[str, Any], *arguments: Any) -> dict[str, tuple[str, str]]:
    status = partition.status(part, *arguments)
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


def of(**spec: Any) -> dict[str, Any]:
    part = asked(**spec)
    return {**part, "metadata": {**part["metadata"], "generation": 1}}


def allocated(part: dict[str, Any], **status: Any) -> dict[str, Any]:
    results = [{"request": "gpu/any", "driver": "libvf.io", "pool": "n1-mdpy", "device": "xga-0"}]
    fields = [{"matchFields": [{"key": "metadata.name", "values": ["n1"]}]}]
    allocation = {"devices": {"results": results}, "nodeSelector": {"nodeSelectorTerms": fields}}
    return {**claim.for_partition(part), "status": {"allocation": allocation, **status}}


def test_it_waits_for_its_first_consumer() -> None:
    assert told(of(), claim.for_partition(of()), None, "")["Ready"] == ("False", "WaitingForConsumer")


def test_it_is_unschedulable_while_somebody_wants_it_in_vain() -> None:
    status = partition.status(of(), claim.for_partition(of()), "Pod/p", "all are in use")
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    assert (ready["reason"], ready["message"]) == ("Unschedulable", "all are in use")


def test_it_is_ready_when_the_agent_has_carved_and_shows_what_it_became() -> None:
    condition = {"type": "Ready", "status": "True", "reason": "Carved", "message": ""}
    data = {"parent": "mdpy", "type": "mdpy-xga", "vram": 4 << 20, "mdevUUID": "u", "iommuGroup": 3}
    device = {"driver": "libvf.io", "pool": "n1-mdpy", "device": "xga-0", "conditions": [condition], "data": data}
    found = allocated(of(), devices=[device])
    assert told(of(), found, "Pod/p", "")["Ready"] == ("True", "Ready")
    status = partition.status(of(), found, "Pod/p", "")
    assert (status["node"], status["consumer"]) == ("n1", "Pod/p")
    assert status["devices"] == [
        {"name": "xga-0", "parent": "mdpy", "type": "mdpy-xga", "vram": "4Mi", "mdevUUID": "u", "iommuGroup": 3}
    ]


def test_what_the_agent_could_not_carve_is_passed_on_in_its_words() -> None:
    condition = {"type": "Ready", "status": "False", "reason": "CarveFailed", "message": "mdpy is full: delete one"}
    device = {"driver": "libvf.io", "pool": "n1-mdpy", "device": "xga-0", "conditions": [condition]}
    status = partition.status(of(), allocated(of(), devices=[device]), "Pod/p", "")
    ready = next(c for c in status["conditions"] if c["type"] == "Ready")
    assert ready["message"] == "CarveFailed: mdpy is full: delete one"


def test_a_claim_of_somebody_else_is_not_taken_for_its_own() -> None:
    foreign = allocated(of())
    foreign["metadata"]["ownerReferences"] = []
    assert told(of(), foreign, "Pod/p", "")["Ready"] == ("False", "NotOurs")
