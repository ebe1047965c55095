"""The judge of the property test, held to what the vendors' own documents and kernels say."""

from collections.abc import Sequence

import pytest

from tests.integration.judge.pool import Card, Wish, possible
from tests.integration.judge.rules import Piece, Placements, Rule, Spots, fits
from tests.integration.judge.tables import (
    MBOCHS,
    MDPY,
    MTTY,
    NVIDIA_A2,
    NVIDIA_RTX_A6000,
    TESLA_P40,
    functions_or_whole,
    gvtg,
)

QUARTERS = Placements(
    {"half": Spots(8192, 2, (0, 2)), "quarter": Spots(4096, 1, (0, 1, 2, 3)), "whole": Spots(16384, 4, (0,))}
)


def most(rule: Rule, kind: str) -> int:
    """How many of a type fit on an empty card."""
    held: list[Piece] = []
    while fits(rule, held, kind):
        held.append(next(piece for piece in rule.pieces(kind) if rule.holds([*held, piece])))
    return len(held)


def pieces(*kinds: str) -> list[Piece]:
    return [Piece(kind) for kind in kinds]


def card(rule: Rule, held: Sequence[Piece] = (), numa_node: int | None = 0) -> Card:
    return Card("card", rule, "vendor", "10de:25b6", numa_node, held=tuple(held))


def test_with_a_4_gib_vgpu_on_an_a2_every_series_of_4_gib_is_left_and_no_other_size() -> None:
    # what a real A2 shows on a free virtual function: available 1 for these three, 0 for the twelve others
    left = {kind for kind in NVIDIA_A2.types if fits(NVIDIA_A2, pieces("nvidia-746"), kind)}
    assert left == {"nvidia-746", "nvidia-751", "nvidia-754"}


def test_with_a_2_gib_vgpu_on_an_rtx_a6000_23_more_fit() -> None:
    # available_instances 23 for 2B, 2Q and 2A, and 0 for the 26 others
    held = pieces("nvidia-525")
    assert {k for k in NVIDIA_RTX_A6000.types if fits(NVIDIA_RTX_A6000, held, k)} == {
        "nvidia-523",
        "nvidia-525",
        "nvidia-535",
    }
    assert most(NVIDIA_RTX_A6000, "nvidia-525") == 24
    assert most(NVIDIA_RTX_A6000, "nvidia-524") == 32


def test_a_p40_takes_24_of_the_smallest_and_one_of_the_largest() -> None:
    assert len(TESLA_P40.types) == 25
    assert (most(TESLA_P40, "nvidia-46"), most(TESLA_P40, "nvidia-50"), most(TESLA_P40, "nvidia-53")) == (24, 4, 1)


@pytest.mark.parametrize(("aperture", "counts"), [(1024, [7, 5, 2, 1]), (512, [6, 3, 1]), (256, [2, 1])])
def test_gvtg_gives_as_many_as_the_aperture_allows(aperture: int, counts: list[int]) -> None:
    rule = gvtg(aperture)
    assert [most(rule, kind) for kind in rule.types] == counts


def test_gvtg_mixes_types() -> None:
    held = pieces("i915-GVTg_V5_1", "i915-GVTg_V5_4")
    assert not fits(gvtg(1024), held, "i915-GVTg_V5_4")
    assert fits(gvtg(1024), held[:1], "i915-GVTg_V5_8")


def test_the_kernels_samples_count_as_their_sources_do() -> None:
    assert [most(MBOCHS, kind) for kind in MBOCHS.types] == [64, 16, 4]
    assert [most(MTTY, kind) for kind in MTTY.types] == [24, 12]
    assert not fits(MDPY, pieces("mdpy-vga", "mdpy-xga", "mdpy-hd", "mdpy-vga"), "mdpy-vga")


def test_a_physical_function_is_given_only_while_no_virtual_one_is() -> None:
    card = functions_or_whole(4, 16384)
    assert fits(card, pieces("amd-vf", "amd-vf", "amd-vf"), "amd-vf")
    assert not fits(card, pieces("amd-vf"), "amd-whole")
    assert not fits(card, pieces("amd-whole"), "amd-vf")
    assert most(card, "amd-whole") == 1


def test_no_two_placements_overlap() -> None:
    assert fits(QUARTERS, [Piece("half", 0), Piece("quarter", 2)], "quarter")
    assert not fits(QUARTERS, [Piece("quarter", 1), Piece("quarter", 2)], "half")
    assert not fits(QUARTERS, [Piece("quarter", 3)], "whole")
    assert most(QUARTERS, "half") == 2


def test_several_are_found_over_the_cards_of_one_numa_node_only() -> None:
    full = pieces("mdpy-hd", "mdpy-hd", "mdpy-hd")
    pair = Wish(type="mdpy-*", count=2)
    assert not possible([card(MDPY, full, 0), card(MDPY, full, 1)], pair)
    assert possible([card(MDPY, full, 0), card(MDPY, full, 0)], pair)
    assert possible([card(MDPY, full, 0), card(MDPY, numa_node=1)], pair)


def test_several_of_a_range_may_be_of_two_sizes_where_the_card_mixes_them() -> None:
    almost_full = pieces("mbochs-large", "mbochs-large", "mbochs-large", "mbochs-medium", "mbochs-medium")
    assert possible([card(MBOCHS, almost_full)], Wish(least=4, most=16, count=2))
    assert not possible([card(MBOCHS, almost_full)], Wish(least=16, most=16, count=3))
    assert possible([card(NVIDIA_A2)], Wish(least=2048, most=8192, count=8))
    assert not possible([card(NVIDIA_A2, pieces("nvidia-746"))], Wish(least=2048, most=8192, count=4))


def test_a_range_of_memory_is_not_met_by_a_serial_port() -> None:
    assert not possible([card(MTTY)], Wish(most=4096))
    assert possible([card(MTTY)], Wish(vendor="vendor"))


def test_a_card_of_another_vendor_or_id_is_not_what_was_asked_for() -> None:
    assert possible([card(NVIDIA_A2)], Wish(device="10de:25b6", mode="Mediated"))
    assert not possible([card(NVIDIA_A2)], Wish(device="10de:1b38"))
    assert not possible([card(NVIDIA_A2)], Wish(vendor="intel"))
