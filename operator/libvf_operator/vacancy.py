"""Whether a slice that a VM had to do without could be had by now. Advice: the scheduler decides. Pure."""

from libvf_api.offers import Offer, left, unfit

from libvf_operator import explain
from libvf_operator.objects import Object
from libvf_operator.published import Held, Published


def instead(spec: Object, published: Published, held: Held) -> str:
    """Why a partition's consumer has a virtual GPU, and what ends that."""
    if free := vacant(spec, published, held):
        return f"{free.type} of pool {free.pool} is free by now: restart the machine to take it"
    return explain.why(spec, published, held, "a virtual GPU was taken")


def vacant(spec: Object, published: Published, held: Held) -> Offer | None:
    """A slice that fits, that nobody has, and that its card has room for beside those that are in use."""
    fitting = [offer for offer in published.offers if offer.place not in held and not unfit(spec, offer)]
    room = left(published.slices, published.offers, held) if fitting else {}
    return next((o for o in fitting if all(room[counter] >= much for counter, much in o.takes.items())), None)
