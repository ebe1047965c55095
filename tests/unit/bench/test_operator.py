"""What the operator's topic makes of what it measured, and whether its stand-ins say what the operator reads."""

from collections import Counter

import pytest
from libvf_operator import claim as claims
from libvf_operator import machine, machine_status, partition, pod
from libvf_operator.machine import Observed

from bench.operator import documents, requests, told
from bench.operator.documents import Json
from bench.operator.told import AtSize, Churn, Life


def _size(size: int, born: int) -> AtSize:
    return AtSize(size, born, 0.02 * born, 0.005 * size, 75_000 * size, 70_000 * size, 0.005, 1.2, (0.1, 0.2, 0.3))


SIZES = [_size(100, 100), _size(1_000, 900)]
LIFE = Life(10, Counter({"create pods": 10, "patch virtualmachines/status": 50}))
CHURN = Churn(1800, 3_000, (90, 100, 100, 100, 100, 100, 110, 110), (0.2, 0.4))
FIGURES = {(each.name, each.at): each for each in told.figures(SIZES, LIFE, CHURN)}


@pytest.mark.parametrize(
    ("name", "size", "value"),
    [
        ("CPU of a birth, per VM", 1_000, 20),
        ("CPU of a birth, per object", 1_000, 4),
        ("CPU of a start, per object", 100, 1),
        ("RSS per VM", 1_000, 75),
        ("RSS per object", 1_000, 15),
        ("growth of the CPU of births", None, 1),
        ("growth of the CPU of starts", None, 1),
        ("idle CPU", 1_000, 0.7),
        ("API requests in a VM's life", None, 1),
        ("lag of a change", 1_000, 1),
        ("memory in its last quarter", None, 1.1),
    ],
)
def test_a_figure_is_what_was_measured_by_size(name: str, size: int | None, value: float) -> None:
    assert FIGURES[name, size].value == pytest.approx(value)


def test_what_is_too_little_to_be_counted_has_no_exponent() -> None:
    names = {each.name for each in told.figures([_size(10, 10), _size(40, 30)], LIFE, CHURN)}
    assert "growth of the CPU of starts" not in names
    assert "growth of the CPU of births" in names


def test_memory_that_grows_in_the_churn_misses_its_goal() -> None:
    assert FIGURES["memory in its last quarter", None].reached is False


def test_lists_and_other_peoples_requests_do_not_count() -> None:
    def line(user: str, verb: str, moment: str = "2026-01-01T00:00:01.0Z") -> str:
        return (
            f'{{"user":{{"username":"{user}"}},"verb":"{verb}","requestReceivedTimestamp":"{moment}",'
            '"objectRef":{"resource":"nodes","subresource":"status"}}'
        )

    lines = [line(requests.OPERATOR, "patch"), line(requests.OPERATOR, "list"), line("somebody", "patch"), '{"half']
    assert requests.counted(lines) == {"patch nodes/status": 1}
    assert requests.counted(lines, "2026-01-01T00:00:02.0Z") == {}


def _made(thing: Json) -> Json:
    """As the API server gives it back."""
    meta = thing["metadata"]
    uid = f"{thing['kind']}-{meta['name']}"
    return {**thing, "metadata": {"uid": uid, "generation": 1, "resourceVersion": "1", **meta}}


def test_a_machine_that_the_stand_ins_answer_for_runs() -> None:
    vm = _made(documents.machine(7))
    settings = pod.Settings("image")
    first = machine.desired(vm, Observed(), settings).create
    parts = {made["metadata"]["name"]: _made(made) for made in first if made["kind"] == "GpuPartition"}
    asked = [made for made in first if made["kind"] == "ResourceClaim"]
    asked += [claims.for_partition(part) for part in parts.values()]
    waiting = {made["metadata"]["name"]: _made(made) for made in asked}
    [guest] = machine.desired(vm, Observed(partitions=parts, claims=waiting), settings).create
    assert 1 + len(parts) + len(waiting) + 1 == documents.OBJECTS_A_MACHINE
    there = {**_made(guest), "status": documents.running(guest)}
    answered = {name: {**claim, "status": documents.allocated(claim, there)} for name, claim in waiting.items()}
    seen = Observed(pod=there, partitions=parts, claims=answered)
    assert machine.desired(vm, seen, settings) == machine.Desired([], [])
    assert machine_status.summarise(vm, seen).running
    for name, part in parts.items():
        status = partition.status(part, answered[name], "VirtualMachine/m00007", "")
        assert {c["type"]: c["status"] for c in status["conditions"]}["Ready"] == "True"
