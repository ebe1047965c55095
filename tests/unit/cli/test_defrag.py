"""`kubectl vf defrag`: the fewest moves that make room, as trying everything finds them."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations, product
from random import Random
from typing import Any

import pytest
from libvf_agent.inventory import Gpu, SliceType
from libvf_agent.offers import offers_of
from libvf_agent.slices import Node, pool_of_gpu
from libvf_api.offers import Offer, left, offers, unfit
from libvf_cli.__main__ import main
from libvf_cli.defrag import Found, pools, room

from tests.unit.cli.conftest import Kubectl

Json = dict[str, Any]
MOST = 2


def one_size() -> Gpu:
    types = tuple(SliceType(f"nvidia-{n}", f"{n}", n << 30, (), 4 // n, 1) for n in (1, 2, 4))
    return Gpu("card", "nvidia", ("card",), types, homogeneous=True)


def linear() -> Gpu:
    types = tuple(SliceType(f"mbochs-{n}", f"{n}", n << 30, (("memory", n),), None, 4 // n) for n in (1, 2, 4))
    return Gpu("card", "kernel-sample", ("card",), types)


def by_place() -> Gpu:
    places = {1: ((0, (0,)), (3, (3,))), 2: ((0, (0, 1)), (2, (2, 3))), 4: ((0, (0, 1, 2, 3)),)}
    types = tuple(SliceType(f"nvidia-{n}", f"{n}", n << 30, places=of) for n, of in places.items())
    return Gpu("card", "nvidia", ("card",), types, slots=4)


CARDS: Sequence[Callable[[], Gpu]] = (one_size, linear, by_place)


def published(*cards: Callable[[], Gpu]) -> list[Json]:
    return [spec for n, card in enumerate(cards) for spec in _slices(f"n{n}", card())]


def _slices(node: str, gpu: Gpu) -> list[Json]:
    return [{"spec": spec} for spec in pool_of_gpu(Node(node, "uid"), offers_of(gpu, {}))]


def claim(name: str, *places: tuple[str, str]) -> Json:
    results = [{"driver": "libvf.io", "pool": pool, "device": device} for pool, device in places]
    meta = {"namespace": "team", "name": name}
    return {"metadata": meta, "status": {"allocation": {"devices": {"results": results}}}}


def size(gigabytes: int, most: int = 0) -> Json:
    return {"vram": {"min": f"{gigabytes}Gi", "max": f"{most or gigabytes}Gi"}}


def asked(slices: list[Json], held: dict[str, tuple[Offer, Json]], spec: Json, most: int = MOST) -> Found:
    claims = [claim(name, offer.place) for name, (offer, _) in held.items()]
    return room(spec, pools(slices, claims, {f"team/{name}": of for name, (_, of) in held.items()}), most)


def holds(slices: list[Json], given: Sequence[Offer]) -> bool:
    """By the scheduler's arithmetic."""
    offered = offers(slices)
    amounts = left(slices, offered, {offer.place: "" for offer in given})
    return len({offer.place for offer in given}) == len(given) and min(amounts.values()) >= 0


def fewest(slices: list[Json], held: dict[str, tuple[Offer, Json]], spec: Json) -> int | None:
    """By trying all: every choice of claims to move, and every place for each."""
    offered = offers(slices)
    for moves in range(MOST + 1):
        for moved in combinations(held, moves):
            stay = [offer for name, (offer, _) in held.items() if name not in moved]
            wanted = [spec, *(held[name][1] for name in moved)]
            for places in product(*([one for one in offered if not unfit(each, one)] for each in wanted)):
                if holds(slices, [*stay, *places]):
                    return moves
    return None


def filled(random: Random, slices: list[Json]) -> dict[str, tuple[Offer, Json]]:
    """Some claims on these cards, each with what it asks for."""
    offered, held = offers(slices), dict[str, tuple[Offer, Json]]()
    for number in range(random.randint(2, 5)):
        offer = random.choice(offered)
        if holds(slices, [*(one for one, _ in held.values()), offer]):
            gigabytes = offer.vram >> 30
            spec = random.choice([size(gigabytes), size(gigabytes, 4), {"type": offer.type}])
            held[f"c{number}"] = offer, spec
    return held


def hosts(random: Random) -> list[Json]:
    return published(*(random.choice(CARDS) for _ in range(2)))


@pytest.mark.parametrize("seed", range(40))
def test_it_finds_a_plan_with_the_fewest_moves_or_none_where_there_is_none(seed: int) -> None:
    slices = hosts(random := Random(seed))
    held, spec = filled(random, slices), size(random.choice((1, 2, 4)))
    found = asked(slices, held, spec)
    assert found.finished
    assert (len(found.plan.moves) if found.plan else None) == fewest(slices, held, spec)
    if found.plan:
        moved = {move.claim.removeprefix("team/"): move for move in found.plan.moves}
        stay = [offer for name, (offer, _) in held.items() if name not in moved]
        assert holds(slices, [*stay, found.plan.target, *(move.target for move in moved.values())])
        assert not unfit(spec, found.plan.target)
        for name, move in moved.items():
            assert (move.source, unfit(held[name][1], move.target)) == (held[name][0], "")


def at(slices: list[Json], pool: str, device: str) -> Offer:
    return next(offer for offer in offers(slices) if offer.place == (pool, device))


def test_a_card_is_emptied_onto_one_that_is_cut_in_that_size() -> None:
    slices = published(one_size, one_size)
    held = {
        "a": (at(slices, "n0-card", "1-0"), size(1)),
        "b": (at(slices, "n1-card", "1-0"), size(1)),
        "c": (at(slices, "n1-card", "1-1"), size(1)),
    }
    found = asked(slices, held, size(4))
    assert found.plan
    [move] = found.plan.moves
    assert (move.claim, move.source.node, move.target.node) == ("team/a", "n0", "n1")
    assert (found.plan.target.node, found.plan.target.type) == ("n0", "nvidia-4")


def test_a_claim_with_several_slices_stays_where_it_is() -> None:
    slices = published(one_size, one_size)
    pair = claim("pair", ("n0-card", "1-0"), ("n0-card", "1-1"))
    other = claim("other", ("n1-card", "1-0"))
    found = room(size(4), pools(slices, [pair, other], {"team/other": size(1)}), 3)
    assert found.plan
    assert [move.claim for move in found.plan.moves] == ["team/other"]


def test_a_claim_of_nobodys_partition_wants_what_it_has() -> None:
    slices = published(one_size, linear)
    found = room({"type": "nvidia-4"}, pools(slices, [claim("pod", ("n0-card", "1-0"))], {}), 3)
    assert found == Found(None)


def test_many_equal_cards_are_looked_at_once() -> None:
    slices = published(*[one_size] * 60)
    held = {f"c{n}": (at(slices, f"n{n}-card", "2-0"), size(2)) for n in range(60)}
    found = asked(slices, held, size(4), most=3)
    assert found.plan
    assert found.finished
    assert len(found.plan.moves) == 1


def waiting(name: str, spec: Json, *, allocated: bool = False, consumer: str = "VirtualMachine/lab") -> Json:
    conditions = [{"type": "Allocated", "status": str(allocated)}]
    meta = {"name": name, "namespace": "team"}
    return {"metadata": meta, "spec": spec, "status": {"conditions": conditions, "consumer": consumer}}


def cluster(kubectl: Kubectl, *partitions: Json) -> None:
    slices = published(one_size, one_size)
    claims = [claim("a", ("n0-card", "1-0")), claim("b", ("n1-card", "1-0"))]
    kubectl.answers("get", "resourceslices.resource.k8s.io", output={"items": slices})
    kubectl.answers("get", "resourceclaims.resource.k8s.io", output={"items": claims})
    kubectl.answers("get", "gpupartitions.libvf.io", output={"items": list(partitions)})


def test_people_get_what_would_move_where_for_each_that_waits(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster(kubectl, waiting("lab-gpu0", size(4)), waiting("a", size(1), allocated=True))
    assert main(["defrag"]) == 0
    assert capsys.readouterr().out == (
        "team/lab-gpu0 (at least 4Gi at most 4Gi) could run on n0, as nvidia-4 of card, if 1 other moved:\n"
        "  CLAIM    TYPE       FROM      BECOMES    ON\n"
        "  team/a   nvidia-1   n0 card   nvidia-1   n1 card\n"
    )


def test_a_program_gets_the_same(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    cluster(kubectl, waiting("lab-gpu0", size(4)))
    assert main(["defrag", "-o", "json"]) == 0
    [told] = json.loads(capsys.readouterr().out)["requests"]
    assert (told["request"], told["moves"][0]["claim"], told["moves"][0]["to"]["node"]) == (
        "team/lab-gpu0",
        "team/a",
        "n1",
    )
    assert told["target"] == {"node": "n0", "card": "card", "type": "nvidia-4", "device": "4-0"}
    assert told["finished"]


def test_what_nobody_has_asked_for_yet_can_be_tried(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    cluster(kubectl)
    assert main(["defrag", "--gpu", "vram=4Gi..4Gi", "--moves", "0"]) == 1
    assert "has no room, also if 0 others moved" in capsys.readouterr().out
    assert main(["defrag", "--gpu", "vram=1Gi..1Gi"]) == 0
    assert "could run on n0, as nvidia-1 of card: nothing has to move" in capsys.readouterr().out


def test_where_nothing_waits_that_is_said(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    cluster(kubectl, waiting("idle", size(4), consumer=""), waiting("a", size(1), allocated=True))
    assert main(["defrag"]) == 0
    assert capsys.readouterr().out == "nothing waits for a slice: --gpu tries what might be asked for\n"
    assert Counter(call[1] for call in kubectl.calls)["gpupartitions.libvf.io"] <= 1
