"""The model of the scheduler: what it may choose. That the real one does so is an integration test."""

from collections import defaultdict
from typing import Any

import pytest

from bench.packing import ask
from bench.packing.allocator import Given, Model
from bench.packing.ask import ALONE, OURS, Ask, Order, asked
from bench.packing.cards import FLEETS, Fleet, fits
from bench.packing.orders import ORDERS
from bench.packing.play import first_fit, modelled, share, steps
from bench.packing.traces import SHAPES, Request, trace

TWO = Fleet("two hosts", (("A2", "A2"), ("A2", "A2")))
FOUR = Request(4, 4, 0)


def taken(model: Model, one: Request, host: int | None = None, order: Order = OURS) -> Given:
    wanted = asked(one, order)
    given = next(each for each in model.choices(wanted) if host in (None, each.host))
    model.take(given, wanted)
    return given


def test_the_operators_claim_is_read_as_it_is() -> None:
    opened, near, any_ = ask.alternatives(OURS.devices(Request(2, 8, 0)))
    gib = 1 << 30
    assert (opened.place, opened.open, opened.least, opened.most) == (8, True, 2 * gib, 4 * gib - 1)
    assert (near.place, near.open, near.most) == (2, False, 4 * gib - 1)
    assert (any_.place, any_.open, any_.most) == (1, False, 8 * gib)


def test_a_selector_that_the_model_does_not_know_is_an_error() -> None:
    devices: Any = ALONE.devices(FOUR)
    selector = {"cel": {"expression": "device.driver == 'x'"}}
    devices["requests"][0]["firstAvailable"][0]["selectors"].append(selector)
    with pytest.raises(ValueError, match=r"device\.driver"):
        ask.alternatives(devices)


def test_on_empty_hosts_the_first_card_of_any_of_them_may_be_taken() -> None:
    assert [(each.host, each.pool) for each in Model(TWO).choices(asked(FOUR, OURS))] == [
        (0, "n0-0000-01-00-0"),
        (1, "n1-0000-01-00-0"),
    ]


def test_an_open_card_wins_over_an_empty_one_on_an_emptier_host() -> None:
    model = Model(TWO)
    first = taken(model, FOUR, host=1)
    model.publish()
    assert [each.pool for each in model.choices(asked(FOUR, OURS))] == [first.pool]


def test_it_wins_over_one_on_an_empty_host_only_because_of_the_room_behind_open() -> None:
    plain = next(order for order in ORDERS if order.name == "`open`, `any`")
    for order, host in ((OURS, 0), (plain, 1)):
        model = Model(Fleet("a full host and an empty one", (("A2",) * 8, ("A2",))))
        for slot in range(1, 8):
            model.take(Given(0, f"n0-0000-0{slot}-00-0", "16-0"), asked(Request(16, 16, 0), ALONE))
        model.take(Given(0, "n0-0000-08-00-0", "4-0"), asked(FOUR, ALONE))
        model.publish()
        assert {given.host for given in model.choices(asked(FOUR, order))} == {host}


def test_machines_of_one_size_that_come_at_once_stay_on_one_host_and_others_spread() -> None:
    assert len({taken(model, FOUR).pool for model in [Model(TWO)] for _ in range(4)}) == 1
    assert len({taken(model, FOUR, order=ALONE).pool for model in [Model(TWO)] for _ in range(4)}) == 2


def test_a_larger_size_that_is_open_is_left_to_others_while_a_card_is_empty() -> None:
    model = Model(TWO)
    taken(model, Request(8, 8, 0), host=0)
    model.publish()
    assert {model.size(each) for each in model.choices(asked(Request(2, 8, 1), OURS))} == {2}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fleet", FLEETS, ids=lambda fleet: fleet.name)
def test_cards_never_hold_what_their_drivers_would_not_and_nothing_that_fits_is_refused(
    shape: str, fleet: Fleet
) -> None:
    made = trace(shape, fleet, 1.2, 1)
    kinds = {card.pool: card.kind for host in Model(fleet)._hosts for card in host.cards}
    model, held, got = Model(fleet), defaultdict[str, list[int]](list), dict[int, Given]()
    for ended, come in steps(made):
        for number in ended:
            if given := got.pop(number, None):
                held[given.pool].remove(model.size(given))
                model.release(given, asked(made.requests[number], OURS))
        model.publish()
        for number in come:
            wanted, one = asked(made.requests[number], OURS), made.requests[number]
            room = any(
                fits(kinds[pool], tuple(held[pool]), n) for pool in kinds for n in range(one.least, one.most + 1)
            )
            choices = model.choices(wanted)
            assert bool(choices) == room
            if choices:
                got[number] = choices[0]
                assert fits(kinds[choices[0].pool], tuple(held[choices[0].pool]), model.size(choices[0]))
                held[choices[0].pool].append(model.size(choices[0]))
                model.take(choices[0], wanted)


def test_our_order_accepts_no_less_than_the_others_on_the_traces_of_the_figures() -> None:
    for fleet in FLEETS:
        for shape in SHAPES:
            made = trace(shape, fleet, 1.0, 0)
            mine = share(made, modelled(made, OURS))
            assert mine >= share(made, modelled(made, ALONE)), made.name
            assert mine >= share(made, first_fit(made)), made.name


def test_without_our_order_a_pod_has_no_label() -> None:
    assert asked(FOUR, ALONE).label == ""
    assert isinstance(asked(FOUR, OURS), Ask)
    assert asked(FOUR, OURS).label == asked(Request(4, 16, 7), OURS).label != ""
