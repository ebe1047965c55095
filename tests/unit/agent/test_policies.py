"""Which policy holds on a card, and what one that is not understood does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libvf_agent.policies import Policy, Rulebook
from libvf_agent.policy_spec import parse
from libvf_agent.rules import CardId, Quota, Rules, careful

GIB = 1 << 30
A2 = CardId("0000:65:00.0", "nvidia", "10de:25b6")
MI300 = CardId("0000:b3:00.0", "amd", "1002:74a1", accelerator=True)
DISK = CardId("0000:01:00.0", "1b36", "1b36:0010", is_gpu=False)
CARDS = (A2, MI300, DISK, CardId("mdpy", "kernel-sample"))


def policy(name: str, created: int = 1, **spec: Any) -> Policy:
    stamp = f"2026-11-24T10:00:{created:02}Z"
    return parse({"metadata": {"name": name, "uid": name, "generation": 1, "creationTimestamp": stamp}, "spec": spec})


def book(*policies: Policy, **labels: str) -> Rulebook:
    return Rulebook.of(policies, labels)


def holds(on: CardId, *policies: Policy) -> str:
    """The name of the policy that holds on the card."""
    return book(*policies).rules(on).policy


# what a policy selects


@pytest.mark.parametrize(
    ("cards", "selected"),
    [
        ({}, {"0000:65:00.0", "0000:b3:00.0", "mdpy"}),
        ({"vendor": "nvidia"}, {"0000:65:00.0"}),
        ({"class": "Accelerator"}, {"0000:b3:00.0"}),
        ({"class": "Display"}, {"0000:65:00.0", "mdpy"}),
        ({"class": "Any"}, {"0000:65:00.0", "0000:b3:00.0", "mdpy"}),
        ({"devices": ["10de:25b6", "1b36:0010"]}, {"0000:65:00.0", "0000:01:00.0"}),
        ({"addresses": ["0000:01:00.0", "mdpy"]}, {"0000:01:00.0", "mdpy"}),
        ({"vendor": "amd", "addresses": ["0000:65:00.0"]}, set()),
        ({"vendor": "1b36"}, set()),
        ({"vendor": "1b36", "class": "Any", "devices": ["1b36:0010"]}, {"0000:01:00.0"}),
    ],
)
def test_all_that_is_given_of_a_card_must_match_and_other_devices_are_meant_only_by_name(
    cards: dict[str, Any], selected: set[str]
) -> None:
    one = policy("p", cards=cards)
    assert {card.name for card in CARDS if one.cards.matches(card)} == selected


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        ({"matchLabels": {"pool": "gpu"}}, True),
        ({"matchLabels": {"pool": "cpu"}}, False),
        ({"matchLabels": {"pool": "gpu", "zone": "a"}}, False),
        ({"matchExpressions": [{"key": "pool", "operator": "In", "values": ["gpu", "vdi"]}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "pool", "operator": "NotIn", "values": ["gpu"]}]}, False),
        ({"matchExpressions": [{"key": "pool", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, True),
        ({"matchLabels": {"pool": "gpu"}, "matchExpressions": [{"key": "pool", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_nodes_are_selected_as_everywhere_in_kubernetes(selector: dict[str, Any], matches: bool) -> None:
    found = book(policy("p", nodeSelector=selector), pool="gpu").rules(A2)
    assert found.policy == ("p" if matches else "")


def test_without_a_policy_the_careful_rules_hold() -> None:
    assert [book().rules(card) for card in CARDS] == [careful(card) for card in CARDS]


# which one holds


def test_the_higher_priority_holds_however_old_and_general_it_is() -> None:
    close = policy("close", 1, cards={"addresses": [A2.name]})
    assert holds(A2, close, policy("broad", 9, priority=1)) == "broad"
    assert holds(A2, close, policy("broad", 9, priority=-1)) == "close"


def test_at_one_priority_the_card_that_is_named_more_closely_holds() -> None:
    ways = [{}, {"class": "Display"}, {"vendor": "nvidia"}, {"devices": ["10de:25b6"]}, {"addresses": [A2.name]}]
    policies = [policy(str(n), n, cards=cards) for n, cards in enumerate(ways)]
    for count in range(1, len(policies) + 1):
        assert holds(A2, *policies[:count]) == str(count - 1)


def test_of_equals_the_older_holds_and_of_the_same_second_the_first_by_name() -> None:
    assert holds(A2, policy("a", 2), policy("b", 1)) == "b"
    assert holds(A2, policy("b", 1), policy("a", 1)) == "a"


def test_equals_that_say_different_things_are_rivals_and_equals_that_say_the_same_are_not() -> None:
    first, same, other = policy("a", 1, types=["x"]), policy("b", 2, types=["x"]), policy("c", 3, types=["y"])
    found = book(first, same, other).judge(A2)
    assert (found.rules.policy, [rival.name for rival in found.rivals]) == ("a", ["c"])
    assert book(first, policy("d", 3, types=["y"], priority=-1)).judge(A2).rivals == ()


def test_one_policy_holds_as_a_whole() -> None:
    found = book(policy("types", 1, types=["x"]), policy("more", 2, heterogeneous=True)).rules(A2)
    assert (found.policy, found.types, found.heterogeneous) == ("types", ("x",), None)


@given(st.data())
def test_the_order_of_policies_is_total_and_does_not_depend_on_the_order_they_came_in(data: st.DataObject) -> None:
    ways = st.sampled_from([{}, {"class": "Display"}, {"vendor": "nvidia"}, {"addresses": [A2.name]}])
    names = data.draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=2))
    policies = [
        policy(name, data.draw(st.integers(1, 3)), priority=data.draw(st.integers(0, 2)), cards=data.draw(ways))
        for name in names
    ]
    shuffled = data.draw(st.permutations(policies))
    first, second = book(*policies).judge(A2), book(*shuffled).judge(A2)
    assert [p.name for p in first.policies] == [p.name for p in second.policies]
    assert first.rules == second.rules
    assert len({p.order for p in policies}) == len(policies)
    for earlier, later in zip(first.policies, first.policies[1:], strict=False):
        assert (earlier.priority, earlier.cards.closeness) >= (later.priority, later.cards.closeness)
        assert earlier.beats(later)


# what is never touched


def test_what_any_policy_of_the_node_excludes_is_left_alone_whatever_another_one_says() -> None:
    strong = policy("strong", priority=9, cards={"addresses": [A2.name]})
    found = book(strong, policy("other", cards={"vendor": "amd"}, exclude=[A2.name])).judge(A2)
    assert found.rules.excluded
    assert found.excluder is not None
    assert found.excluder.name == "other"


def test_a_policy_of_other_nodes_excludes_nothing_here() -> None:
    elsewhere = policy("p", exclude=[A2.name], nodeSelector={"matchLabels": {"pool": "vdi"}})
    assert not book(elsewhere).rules(A2).excluded


def test_an_empty_list_of_modes_leaves_cards_alone() -> None:
    assert book(policy("hands-off", modes=[])).rules(A2).excluded


# reading


def test_every_word_of_a_policy_becomes_a_rule() -> None:
    found = policy(
        "p",
        modes=["VirtualFunction", "Passthrough"],
        types=["intel-*"],
        virtualFunctions={
            "count": 4,
            "sizes": ["2Gi", 1 << 30],
            "execQuantum": "5ms",
            "preemptTimeout": "500us",
            "priority": "Low",
        },
        reserve={"vram": "1Gi"},
        vram="24Gi",
        heterogeneous=True,
        parameters={"frame_rate_limiter": 0, "enable_uvm": "1"},
        takeFromHost=True,
        hostDisplay="Take",
        reuseWithoutReset=True,
        drain=True,
    )
    assert found.fault == ""
    assert found.rules == Rules(
        modes=frozenset({"VirtualFunction", "Passthrough"}),
        types=("intel-*",),
        functions=4,
        quota=Quota((2 * GIB, GIB), 5, 500, "low"),
        vram=24 * GIB,
        heterogeneous=True,
        parameters="enable_uvm=1,frame_rate_limiter=0",
        reserved_vram=GIB,
        take_from_host=True,
        take_host_display=True,
        reuse_without_reset=True,
        draining="its policy drains it",
    )


@pytest.mark.parametrize(("said", "read"), [("5ms", 5000), (5, 5000), ("5", 5000), ("1s", 1_000_000), ("7us", 7)])
def test_durations_are_read_as_written_and_bare_numbers_are_milliseconds(said: str | int, read: int) -> None:
    assert policy("p", virtualFunctions={"preemptTimeout": said}).rules.quota.preempt_timeout_us == read


def test_an_empty_policy_says_what_holds_without_one() -> None:
    assert policy("p").rules == Rules()


# what is not understood

WRONG: dict[str, dict[str, Any]] = {
    "a field of a newer version": {"forbid": ["x"]},
    "a field of a newer version, deeper": {"virtualFunctions": {"count": 2, "isolate": True}},
    "a mode of a newer version": {"modes": ["Mediated", "Partitioned"]},
    "a quantity that is none": {"vram": "much"},
    "a duration that is none": {"virtualFunctions": {"execQuantum": "soon"}},
    "another type": {"types": "nvidia-*"},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_policy_that_is_not_understood_leaves_its_cards_alone_and_others_as_they_are(case: str) -> None:
    found = policy("newer", cards={"vendor": "nvidia"}, **WRONG[case])
    assert found.fault
    assert book(found).rules(A2).excluded
    assert book(found).rules(MI300) == careful(MI300)


def test_a_policy_that_is_not_understood_yields_only_to_a_higher_priority() -> None:
    newer, other = policy("newer", 9, cards={"vendor": "nvidia"}, forbid=1), policy("other", 1, priority=1)
    assert not book(newer, other).rules(A2).excluded
    assert book(newer, policy("other", 1)).rules(A2).excluded


@pytest.mark.parametrize(
    "spec",
    [{"cards": 3}, {"cards": {"addresses": "all"}}, {"priority": "high", "cards": {"vendor": "amd"}}, {"exclude": [1]}],
)
def test_a_selector_that_cannot_be_read_may_have_meant_any_card_before_all_others(spec: dict[str, Any]) -> None:
    strong = policy("strong", 1, priority=1000, cards={"addresses": [DISK.name, A2.name]})
    assert [book(strong, policy("newer", 9, **spec)).rules(card).policy for card in (A2, DISK)] == ["newer", "newer"]


def test_a_selector_with_an_unknown_word_selects_by_those_that_are_known_and_ranks_as_the_closest() -> None:
    newer = policy("newer", 9, cards={"vendor": "nvidia", "model": "A2"})
    close = policy("close", 1, cards={"addresses": [A2.name]})
    assert book(newer, close).rules(A2).excluded
    assert book(newer, close).rules(MI300) == careful(MI300)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KNOWN = {"nodeSelector", "cards", "priority", "modes", "types", "virtualFunctions", "exclude", "reserve", "vram"} | {
    "heterogeneous", "parameters", "takeFromHost", "hostDisplay", "reuseWithoutReset", "drain"
}  # fmt: skip
_words = st.sampled_from(sorted(_KNOWN))


@given(st.none() | _json | st.dictionaries(_words | st.text(max_size=8), _json, max_size=4))
def test_nothing_that_could_be_in_a_spec_breaks_the_reading_or_allows_more_than_it_says(spec: Any) -> None:
    found = parse({"metadata": {"name": "p", "uid": "u", "generation": 1}, "spec": spec})
    if found.fault:
        assert found.rules == Rules(modes=frozenset(), excluded=True)
    else:
        assert set(spec) <= _KNOWN
    for card in CARDS:
        book(found).judge(card)
