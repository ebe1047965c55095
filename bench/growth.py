"""How a cost grows with size: the exponent of a power law, fitted where both axes are logarithmic."""

import math
import statistics
from collections.abc import Mapping


def exponent(costs: Mapping[float, float]) -> float:
    """The slope of log cost over log size: 1 where twice as many cost twice as much.

    `costs` maps a size to the whole cost at it. Two sizes give a line and no judgement; three or more a fit."""
    if len(costs) < 2:
        raise ValueError("an exponent needs two sizes at least")
    sizes = [math.log(size) for size in costs]
    return statistics.linear_regression(sizes, [math.log(cost) for cost in costs.values()]).slope


def per_step(times: list[float], values: list[float]) -> float:
    """The slope of values over times: bytes per second that a memory grows by over a churn."""
    return statistics.linear_regression(times, values).slope
