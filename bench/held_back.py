"""What holds back a figure that misses its goal, as profiles and traces have shown it; told beside those that do."""

from collections.abc import Iterable, Iterator

from bench.figures import Figure

WORDS = {
    "VRAM accepted, median of the traces": (
        "the optimum knows the whole trace and refuses what fits, to keep a card for what comes later; a scheduler may "
        "refuse no Pod that fits. On the traces without departures the distance is a few machines at their end"
    ),
    "apply to Running": (
        "what a plain Pod does not have: claims that the agent prepares, and a QEMU that starts before the Pod is "
        "Ready. Both are work of a CPU, which an emulated node does twenty times slower"
    ),
    "prepare beyond the bare write": (
        "two requests to the API server by TLS and a look at the host's cards, in Python, on an emulated CPU; the "
        "write and mdevctl are emulated too, but are little work"
    ),
    "container start to QMP ready": "Python starts before QEMU does, on an emulated CPU",
    "memory of a VM's Pod beyond its QEMU": (
        "containerd's shim, and the launcher's Python with asyncio, QMP's client and what it tells of the guest"
    ),
    "CPU of a birth, per object": (
        "nine requests, which are a third of it (TLS and HTTP in Python), and some fifteen events by kopf, another "
        "fifth; to decide what to do is less than a tenth"
    ),
    "CPU of a start, per object": "kopf's way from an event to a handler, and two lists to parse, its own and ours",
    "growth of the CPU of starts": "Python's garbage collector, which walks over all that is kept, again and again",
    "RSS per object": "with few machines the heap that reading and answering take once, whatever their number",
    "PSS per object": "the same: next to nothing of it is shared",
    "idle CPU": "a sweep over everything, of which next to nothing is unpacked",
    "allocation rate": (
        "to choose: for each selector the scheduler converts each device of a node to CEL's values, those of all cards "
        "that are not open before it finds one, where a claim on any device is content with the first. A policy that "
        "names the types of one series leaves fewer devices to look at"
    ),
    "memory in its last quarter": "the allocator keeps what a burst needed",
    "API writes per carve": "slices in which `open` flips",
}


def told(figures: Iterable[Figure]) -> Iterator[str]:
    """A line for each name of which a figure misses its goal."""
    for name in dict.fromkeys(figure.name for figure in figures if figure.reached is False):
        yield f"- **{name}** is held back by: {WORDS.get(name, 'not looked into yet')}"
