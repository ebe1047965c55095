"""Objects as the operator remembers them: packed. Pure.

A parsed document takes ten times the memory of its JSON, and Python's garbage collector walks over all of them again
and again. One look at a machine unpacks less than ten.
"""

from collections.abc import Iterable

import msgspec

from libvf_operator.objects import Key, Object


class Shelf:
    """Objects of one kind by key; each time one is taken it is another copy."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[int, bytes]] = {}

    def put(self, place: Key, thing: Object) -> None:
        """Keep it, but for who wrote which of its fields: nobody here asks, and it is a third of an object."""
        meta = {name: value for name, value in thing["metadata"].items() if name != "managedFields"}
        self._kept[place] = version(thing), msgspec.json.encode({**thing, "metadata": meta})

    def get(self, place: Key) -> Object | None:
        """One object, or None."""
        found = self._kept.get(place)
        return msgspec.json.decode(found[1]) if found else None

    def has(self, place: Key) -> bool:
        """Whether it is there."""
        return place in self._kept

    def remove(self, place: Key) -> None:
        """Forget it; it may be forgotten already."""
        self._kept.pop(place, None)

    def version(self, place: Key) -> int:
        """Its resource version; 0 of what is not there."""
        return self._kept[place][0] if place in self._kept else 0

    def places(self) -> Iterable[Key]:
        """The keys of all."""
        return self._kept.keys()


def version(thing: Object) -> int:
    """Resource versions are ordered integers: guaranteed by the API conventions since Kubernetes 1.35."""
    return int(thing["metadata"].get("resourceVersion") or 0)
