"""Whether a slice that a VM had to do without could be had by now. Advice: the scheduler decides. Pure."""

from libvf_api.offers import Offer, left, unfit

from libvf_operator import cell as cells
from libvf_operator import explain, rooms
from libvf_operator.allocated import Allocated
from libvf_operator.objects import Object
from libvf_operator.published import Published


def instead(spec: Object, published: Published, allocated: Allocated) -> str:
    """Why a partition's consumer has a virtual GPU, and what ends that."""
    if free := vacant(spec, published, allocated):
        return f"{free.type} of pool {free.pool} is free by now: restart the machine to take it"
    return explain.why(spec, published, allocated, "a virtual GPU was taken")


def vacant(spec: Object, published: Published, allocated: Allocated) -> Offer | None:
    """A slice that fits, that nobody has, and that its card has room for beside those that are in use; with room for
    the partition's cell on its NUMA node, where that is insisted on.
    """
    held = allocated.held
    fitting = [offer for offer in published.offers if offer.place not in held and not unfit(spec, offer)]
    if (cell := spec.get("cell")) and not cells.preferred(cell):
        found = rooms.rooms(published, allocated)
        fitting = [offer for offer in fitting if rooms.has_room(offer, cell, found)]
    room = left(published.slices, published.offers, held) if fitting else {}
    return next((o for o in fitting if all(room[counter] >= much for counter, much in o.takes.items())), None)
