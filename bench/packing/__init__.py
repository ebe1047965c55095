"""How much of what is asked for finds room, against an optimum, against the scheduler alone and against first fit."""

from collections.abc import Iterator

from bench.figures import Figure


def run(quick: bool) -> Iterator[Figure]:
    """The figures; what they need beside the model is loaded only now, as the tests have no OR-Tools."""
    from bench.packing import compared

    return compared.figures(quick)
