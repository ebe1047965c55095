"""What a request of a trace becomes: the operator's own claim and label, and a Pod that asks for CPU and memory too."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from libvf_api import names
from libvf_api.quantity import to_bytes
from libvf_operator import neighbours
from libvf_operator.claim import for_partition

from bench.packing.traces import Request

Json = dict[str, Any]

CPUS = 128  # of a host, and four times as many GiB of memory: the video memory is what runs out
MOST = 8  # alternatives; the first counts so much, the last 1
_MILLI_CPUS = 750  # for each GiB of video memory, and 3 GiB of memory: just as a host has both, so neither says more


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of `firstAvailable` as far as a card can meet it: its place, counted from the last, and bounds in bytes."""

    place: int
    least: int = 0
    most: int | None = None
    open: bool = False

    def accepts(self, vram: int, is_open: bool) -> bool:
        """Whether a device meets its selectors."""
        return self.least <= vram and (self.most is None or vram <= self.most) and (is_open or not self.open)


@dataclass(frozen=True, slots=True)
class Ask:
    """A machine as the scheduler sees it."""

    gigabytes: int
    alternatives: tuple[Alternative, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """In which order a claim asks: the devices of its spec; and whether Pods are drawn to their like."""

    name: str
    devices: Callable[[Request], Json]
    alike: bool = True


def _operators(one: Request) -> Json:
    meta = {"name": "", "namespace": "", "uid": ""}
    partition = {"apiVersion": names.API_VERSION, "kind": "GpuPartition", "metadata": meta}
    return dict(for_partition({**partition, "spec": _spec(one)})["spec"]["devices"])


def _any(one: Request) -> Json:
    """What is left where nobody says which cards are open: any device that fits."""
    return among(one, lambda listed: [listed["any"]])


def among(one: Request, choose: Callable[[dict[str, Json]], list[Json]]) -> Json:
    """The operator's request with other alternatives, chosen from its own by their names."""
    devices = _operators(one)
    [request] = devices["requests"]
    return {"requests": [{**request, "firstAvailable": choose({a["name"]: a for a in request["firstAvailable"]})}]}


OURS = Order("the operator's own", _operators)
ALONE = Order("any card that fits", _any, alike=False)


@cache
def asked(one: Request, order: Order) -> Ask:
    """A request in an order."""
    label = "".join(neighbours.labels(gpus(one)).values()) if order.alike else ""
    return Ask(one.least, alternatives(order.devices(one)), label)


def gpus(one: Request) -> list[Json]:
    """As a VirtualMachine has them."""
    return [{"name": names.GPU_REQUEST, **_spec(one)}]


def milli_cpus(gigabytes: int) -> int:
    """That a machine with so much video memory asks for."""
    return gigabytes * _MILLI_CPUS


def resources(one: Request) -> dict[str, str]:
    """What its Pod asks for."""
    return {"cpu": f"{milli_cpus(one.least)}m", "memory": f"{3 * one.least}Gi"}


def alternatives(devices: Json) -> tuple[Alternative, ...]:
    """Those of a claim that a card could meet; raises where a selector is not understood."""
    [request] = devices["requests"]
    listed = enumerate(request["firstAvailable"])
    cards = (names.GPU_CLASS, names.OPEN_CLASS)
    return tuple(_alternative(MOST - n, each) for n, each in listed if each["deviceClassName"] in cards)


def conditions(subrequest: Json) -> list[str]:
    """What a device must meet, one by one."""
    return [each for selector in subrequest.get("selectors", []) for each in selector["cel"]["expression"].split(_AND)]


def _spec(one: Request) -> Json:
    return {"vram": {"min": f"{one.least}Gi", "max": f"{one.most}Gi"}}


_AND = " && "
_VRAM = re.escape('device.capacity["libvf.io"].?vram.')
_SELECTORS = {
    ">=": re.compile(_VRAM + r'orValue\(quantity\("0"\)\)\.compareTo\(quantity\("(\w+)"\)\) >= 0'),
    "<=": re.compile(_VRAM + r'orValue\(quantity\("0"\)\)\.compareTo\(quantity\("(\w+)"\)\) <= 0'),
    "<": re.compile(_VRAM + r'orValue\(quantity\("0"\)\)\.compareTo\(quantity\("(\w+)"\)\) < 0'),
    "has": re.compile(_VRAM + r"hasValue\(\)()"),
}


def _alternative(place: int, subrequest: Json) -> Alternative:
    read = [_read(condition) for condition in conditions(subrequest)]
    least = [to_bytes(value) for kind, value in read if kind == ">="]
    most = [to_bytes(value) - (kind == "<") for kind, value in read if kind in ("<=", "<")]
    is_open = subrequest["deviceClassName"] == names.OPEN_CLASS
    return Alternative(place, max(least, default=0), min(most, default=None), is_open)


def _read(expression: str) -> tuple[str, str]:
    for kind, pattern in _SELECTORS.items():
        if match := pattern.fullmatch(expression):
            return kind, match[1]
    raise ValueError(f"the model does not know this selector: {expression}")
