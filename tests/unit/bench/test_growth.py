"""The exponent of growth, and percentiles."""

import pytest

from bench.growth import exponent, per_step
from bench.spread import percentile


@pytest.mark.parametrize(("power", "factor"), [(0.0, 3.0), (1.0, 0.001), (1.5, 2.0), (2.0, 1.0)])
def test_a_power_law_gives_its_own_exponent_whatever_its_factor(power: float, factor: float) -> None:
    assert exponent({size: factor * size**power for size in (100, 1_000, 10_000)}) == pytest.approx(power)


def test_a_fixed_cost_beside_a_linear_one_is_below_one() -> None:
    assert exponent({size: 50 + size for size in (100, 1_000, 10_000)}) < 1


def test_one_size_has_no_exponent() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        exponent({100: 1.0})


def test_a_memory_that_stays_has_no_slope() -> None:
    assert per_step([0, 10, 20], [5, 5, 5]) == 0
    assert per_step([0, 10, 20], [5, 6, 7]) == pytest.approx(0.1)


def test_percentiles_lie_between_the_samples() -> None:
    samples = [4.0, 1.0, 3.0, 2.0, 5.0]
    assert [percentile(samples, percent) for percent in (0, 25, 50, 90, 100)] == [1, 2, 3, pytest.approx(4.6), 5]


def test_a_single_sample_is_every_percentile() -> None:
    assert {percentile([7.0], percent) for percent in (0, 1, 50, 99, 100)} == {7.0}


@pytest.mark.parametrize("percent", [-1, 101])
def test_there_is_no_percentile_beyond_the_ends(percent: int) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile([1.0, 2.0], percent)
