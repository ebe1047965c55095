"""What is published, read once for all machines that wait."""

from libvf_operator.published import Published

from tests.unit.operator.test_explain import slices


def test_devices_that_no_request_can_tell_apart_are_one_kind() -> None:
    found = Published([*slices(small=3, large=1), *slices(small=2)]).kinds
    assert [(kind.offer.type, len(kind.places)) for kind in found] == [("small", 5), ("large", 1)]


def test_a_taint_makes_a_kind_of_its_own() -> None:
    offered = slices(small=2)
    offered[0]["spec"]["devices"][0]["taints"] = [{"key": "libvf.io/draining", "effect": "NoSchedule"}]
    assert len(Published(offered).kinds) == 2


def test_the_same_question_is_answered_once() -> None:
    found, asked = Published([]), list[str]()

    def answer() -> str:
        asked.append("again")
        return "none"

    assert [found.once("why", answer) for _ in range(3)] == ["none"] * 3
    assert found.once("why not", answer) == "none"
    assert len(asked) == 2
