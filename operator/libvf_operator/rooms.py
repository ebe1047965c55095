"""What is left on each NUMA node, and why a claim that insists on one waits. Advice: the scheduler decides. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from libvf_api import names
from libvf_api.offers import Offer, devices, left, numa_node, text, unfit, wanted
from libvf_api.quantity import of_bytes, to_bytes
from libvf_api.taints import WORDS

from libvf_operator import cell as cells
from libvf_operator.allocated import Allocated
from libvf_operator.objects import Object
from libvf_operator.published import Held, Published

_ROOMS_TOLD = 12
_CALLED = {"cpus": "CPUs", "memory": "memory", "hugepages2Mi": "2Mi pages", "hugepages1Gi": "1Gi pages"}


@dataclass(slots=True)
class Room:
    """One NUMA node of a host: what its cell has and what of it is left, and its free slices that would do."""

    host: str
    number: int
    total: dict[str, int]
    left: dict[str, int]
    taint: str = ""
    slices: list[Offer] = field(default_factory=list)

    def lacks(self, amounts: dict[str, int]) -> str:
        """What of these it has not enough of."""
        if self.taint:
            return WORDS.get(self.taint, f"is tainted {self.taint}")
        short = [name for name, amount in amounts.items() if self.left.get(name, 0) < amount]
        return ", ".join(_of(name, self.left.get(name, 0), self.total.get(name, 0)) for name in short)


def rooms(published: Published, allocated: Allocated) -> list[Room]:
    """Every NUMA node that an agent publishes, by host and number."""
    found = []
    for piece, device in devices(published.slices):
        number = numa_node(device)
        if text(device, "kind") == names.CELL and number is not None:
            total = {name: to_bytes(of["value"]) for name, of in (device.get("capacity") or {}).items()}
            taint = next((str(one["key"]) for one in device.get("taints") or []), "")
            taken = allocated.taken.get((piece["spec"]["pool"]["name"], device["name"]), {})
            free = {name: amount - taken.get(name, 0) for name, amount in total.items()}
            found.append(Room(piece["spec"].get("nodeName", ""), number, total, free, taint))
    return sorted(found, key=lambda room: (room.host, room.number))


def why(cell: Object, spec: Object | None, published: Published, allocated: Allocated) -> str:
    """Why no NUMA node has all of it, node by node; empty where one has, as far as can be seen.

    `spec` is that of the partition whose slices are to be there too, None for a cell alone.
    """
    found, amounts = rooms(published, allocated), cells.amounts(cell)
    if not found:
        return "no node offers CPUs of a NUMA node: is the libvf agent there of a version that does?"
    if spec:
        _fill(found, spec, published, allocated.held)
    count = spec.get("count", 1) if spec else 0
    told = [words for room in found if (words := _lacking(room, amounts, spec, count))]
    if len(told) < len(found):
        return ""
    asked = ", ".join(f"{_amount(name, amount)} {_CALLED[name]}" for name, amount in amounts.items())
    what = f"{count} x {wanted(spec)}, {asked}" if spec else asked
    return f"no NUMA node has {what} together: {_few(told)}{_across(found, amounts, count)}"


def has_room(offer: Offer, cell: Object, found: Iterable[Room]) -> bool:
    """Whether the NUMA node of a slice has room for the cell."""
    beside = (room for room in found if (room.host, room.number) == (offer.node, offer.numa))
    return any(not room.lacks(cells.amounts(cell)) for room in beside)


def _fill(found: list[Room], spec: Object, published: Published, held: Held) -> None:
    """Free slices that meet the spec, to the nodes that they are on."""
    counters = left(published.slices, published.offers, held)
    by_place = {(room.host, room.number): room for room in found}
    for offer in published.offers:
        free = offer.place not in held and all(counters[name] >= much for name, much in offer.takes.items())
        room = by_place.get((offer.node, offer.numa if offer.numa is not None else -1))
        if room and free and not unfit(spec, offer):
            room.slices.append(offer)


def _lacking(room: Room, amounts: dict[str, int], spec: Object | None, count: int) -> str:
    words = room.lacks(amounts)
    if spec and len(room.slices) < count:
        some = f"{len(room.slices)} of {count} free slices" if room.slices else "no free slice"
        free = f"{some} that would do"
        words = ", ".join(part for part in (words, free) if part)
    return f"{room.host} NUMA node {room.number}: {words}" if words else ""


def _across(found: list[Room], amounts: dict[str, int], count: int) -> str:
    """Hosts that have it all, but on several of their nodes."""
    cure = "numa.policy Preferred runs it there, or end a machine on one of the nodes"
    fitting = [host for host in dict.fromkeys(room.host for room in found) if _fits(host, found, amounts, count)]
    return f"; it fits only across two NUMA nodes of {', '.join(fitting[:_ROOMS_TOLD])}: {cure}" if fitting else ""


def _fits(host: str, found: list[Room], amounts: dict[str, int], count: int) -> bool:
    mine = [room for room in found if room.host == host and not room.taint]
    enough = all(sum(max(0, room.left.get(name, 0)) for room in mine) >= much for name, much in amounts.items())
    return enough and sum(len(room.slices) for room in mine) >= count


def _of(name: str, left: int, total: int) -> str:
    return f"{_amount(name, max(0, left))} of {_amount(name, total)} {_CALLED.get(name, name)} free"


def _amount(name: str, amount: int) -> str:
    return str(amount) if name == "cpus" else of_bytes(amount)


def _few(told: list[str]) -> str:
    more = f"; and {len(told) - _ROOMS_TOLD} more" if len(told) > _ROOMS_TOLD else ""
    return "; ".join(told[:_ROOMS_TOLD]) + more
