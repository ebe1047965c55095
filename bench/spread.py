"""Percentiles of a few samples."""

import statistics
from collections.abc import Sequence


def percentile(samples: Sequence[float], percent: int) -> float:
    """Between the two samples that it falls between; the ends are the smallest and the largest."""
    if not 0 <= percent <= 100:
        raise ValueError(f"no percentile: {percent}")
    if len(samples) == 1 or percent in (0, 100):
        return max(samples) if percent == 100 else min(samples)
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]
