"""The topics, in the order in which they run and are shown."""

import importlib
from collections.abc import Iterable
from typing import Protocol, cast

from bench.figures import Figure

# what needs no node comes first, so that its figures are there when the lab does not come up
TOPICS = ("packing", "operator", "scheduler", "start", "prepare", "memory", "numa")


class Topic(Protocol):
    """What `bench/TOPIC.py` or `bench/TOPIC/__init__.py` has."""

    def run(self, quick: bool) -> Iterable[Figure]:
        """Measure; `quick` takes sizes that are done in a minute or two, to see that all of it works."""


def topic(name: str) -> Topic:
    """The topic's module, which is imported only when it is run: what one needs, the others can do without."""
    return cast(Topic, importlib.import_module(f"bench.{name}"))
