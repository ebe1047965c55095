"""Whether a slice that a VM had to do without could be had by now. Advice: the scheduler decides. Pure."""

from collections import Counter
from collections.abc import Iterator

from libvf_api import names
from libvf_api.quantity import to_bytes

from libvf_operator import claim as claims
from libvf_operator import explain
from libvf_operator.explain import Offer
from libvf_operator.objects import Object

Place = tuple[str, str, str]  # pool, counter set, counter


def instead(spec: Object, slices: list[Object], allocated: list[Object]) -> str:
    """Why a partition's consumer has a virtual GPU, and what ends that."""
    if free := vacant(spec, slices, allocated):
        return f"{free.type} of pool {free.pool} is free by now: restart the machine to take it"
    return explain.why(spec, slices, allocated, "a virtual GPU was taken")


def vacant(spec: Object, slices: list[Object], allocated: list[Object]) -> Offer | None:
    """A slice that fits, that nobody has, and that its card has room for beside those that are in use."""
    taken = {(r["pool"], r["device"]) for c in allocated for r in claims.results(c) if r["driver"] == names.DRIVER}
    costs = {(pool, device["name"]): dict(_cost(pool, device)) for pool, device in explain.devices(slices)}
    left = Counter(dict(_counters(slices)))
    for place in taken:
        left.subtract(costs.get(place, {}))
    for offer in explain.fit(spec, explain.offers(slices)):
        place = (offer.pool, offer.name)
        if place not in taken and all(left[counter] >= amount for counter, amount in costs[place].items()):
            return offer
    return None


def _cost(pool: str, device: Object) -> Iterator[tuple[Place, int]]:
    for drawn in device.get("consumesCounters") or []:
        for name, amount in drawn["counters"].items():
            yield (pool, drawn["counterSet"], name), to_bytes(amount["value"])


def _counters(slices: list[Object]) -> Iterator[tuple[Place, int]]:
    for piece in slices:
        if piece["spec"]["driver"] == names.DRIVER:
            for shared in piece["spec"].get("sharedCounters") or []:
                for name, amount in shared["counters"].items():
                    yield (piece["spec"]["pool"]["name"], shared["name"], name), to_bytes(amount["value"])
