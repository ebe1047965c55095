"""Which CPUs a cell gets: whole cores of one cache, never the host's, and never another cell's."""

import random
from itertools import product

import pytest
from libvf_agent import cpus
from libvf_agent.cpus import Cpu, chosen, parsed, ranges, reserve, threads


def node(cores: int, smt: int = 1, cached: int = 0) -> tuple[Cpu, ...]:
    """Numbered as most machines do: first all first threads."""
    beside = cached or cores
    return tuple(Cpu(n + t * cores, n, n - n % beside) for t, n in product(range(smt), range(cores)))


@pytest.mark.parametrize(
    ("text", "found"),
    [("0-3,8", (0, 1, 2, 3, 8)), ("", ()), ("5\n", (5,)), ("0-", ()), ("all", ()), ("3-1", ())],
)
def test_a_list_is_read_as_the_kernel_writes_it(text: str, found: tuple[int, ...]) -> None:
    assert parsed(text) == found


def test_a_list_is_written_as_the_kernel_writes_it() -> None:
    assert ranges([8, 0, 2, 1, 12, 11]) == "0-2,8,11-12"
    assert cpus.in_order([8, 0]) == "8,0"


def test_whole_cores_come_first_and_their_threads_stand_beside_each_other() -> None:
    assert chosen(node(4, smt=2), frozenset(), 4) == (0, 4, 1, 5)


def test_an_odd_one_goes_to_a_core_that_is_shared_already() -> None:
    machine = node(4, smt=2)
    assert chosen(machine, frozenset({4}), 3) == (1, 5, 0)
    assert chosen(machine, frozenset({4}), 1) == (0,)


def test_a_cell_is_put_into_the_fullest_cache_that_still_holds_it() -> None:
    machine = node(8, cached=4)
    assert chosen(machine, frozenset({0}), 3) == (1, 2, 3)
    assert chosen(machine, frozenset({0}), 4) == (4, 5, 6, 7)


def test_whole_cores_of_an_emptier_cache_come_before_halves_of_a_fuller_one() -> None:
    machine = node(4, smt=2, cached=2)
    assert chosen(machine, frozenset({4, 5}), 2) == (2, 6)


def test_one_that_no_cache_holds_takes_the_emptiest_ones() -> None:
    machine = node(9, cached=3)
    assert chosen(machine, frozenset({0, 1}), 5) == (3, 4, 5, 6, 7)


def test_the_reserve_is_whole_cores_and_none_that_the_kernel_keeps_tasks_from() -> None:
    machine = node(4, smt=2)
    assert reserve(machine, 1, frozenset()) == {0, 4}
    assert reserve(machine, 2, frozenset({0, 4})) == {1, 5, 2, 6}
    assert reserve(machine, 0, frozenset()) == frozenset()


def test_a_guest_is_told_of_threads_only_where_all_of_its_cores_are_its_own() -> None:
    machine = node(4, smt=2)
    assert threads(machine, (0, 4, 1, 5)) == 2
    assert threads(machine, (0, 4, 1)) == 1
    assert threads(node(4), (0, 1)) == 1


def test_whatever_comes_and_goes_no_cpu_is_given_twice_and_none_is_lost() -> None:
    dice = random.Random(20261128)
    for _ in range(200):
        machine = node(dice.choice((4, 8, 12)), dice.choice((1, 2)), dice.choice((0, 2, 4)))
        held: dict[int, tuple[int, ...]] = {}
        for number in range(20):
            if held and dice.random() < 0.4:
                held.pop(dice.choice(list(held)))
            taken = frozenset(cpu for cell in held.values() for cpu in cell)
            wanted = dice.randint(1, 6)
            found = chosen(machine, taken, wanted)
            assert len(found) == len(set(found)) == min(wanted, len(machine) - len(taken))
            assert taken.isdisjoint(found)
            if len(found) == wanted:
                held[number] = found
