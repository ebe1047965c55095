"""What all claims have by now."""

from libvf_operator.allocated import Allocated

from tests.unit.operator.test_rooms import cell, claim, gpu

NODE = ("n1-cell", "node0")


def test_a_device_is_held_by_the_claim_that_has_it_until_that_has_another() -> None:
    allocated = Allocated.of([claim("a", gpu("n1", 0, 0)), claim("b", gpu("n1", 0, 1))])
    assert allocated.held == {("n1-card0", "xga-0"): "lab/a", ("n1-card0", "xga-1"): "lab/b"}
    allocated.change(claim("a", gpu("n1", 0, 0)), claim("a", gpu("n1", 1, 0)))
    allocated.change(claim("b", gpu("n1", 0, 1)), None)
    assert allocated.held == {("n1-card1", "xga-0"): "lab/a"}


def test_what_many_share_is_counted_and_given_back() -> None:
    allocated = Allocated.of([claim("a", cell("n1", 0, 2)), claim("b", cell("n1", 0, 1))])
    assert allocated.taken[NODE] == {"cpus": 3, "memory": 2 << 30}
    allocated.change(claim("a", cell("n1", 0, 2)), claim("a", cell("n1", 0, 4)))
    allocated.change(claim("b", cell("n1", 0, 1)), None)
    assert allocated.taken[NODE] == {"cpus": 4, "memory": 1 << 30}
