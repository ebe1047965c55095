"""The topics, in the order in which they run and are shown."""

import importlib
from collections.abc import Iterable
from typing import Protocol, cast

from bench.figures import Figure

# packing counts and takes no times: the lab comes up beside it
TOPICS = ("packing", "start", "prepare", "memory", "operator", "scheduler", "numa")
IN_THE_LAB = frozenset({"start", "prepare", "memory"})
ALONE = frozenset({"operator", "scheduler", "numa"})  # an emulated node beside them would be part of their figures


class Topic(Protocol):
    """What `bench/TOPIC.py` or `bench/TOPIC/__init__.py` has."""

    def run(self, quick: bool) -> Iterable[Figure]:
        """Measure; `quick` takes sizes that are done in a minute or two, to see that all of it works."""


def topic(name: str) -> Topic:
    """The topic's module, which is imported only when it is run: what one needs, the others can do without."""
    return cast(Topic, importlib.import_module(f"bench.{name}"))
