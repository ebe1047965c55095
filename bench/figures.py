"""Figures: what a topic measures, and how it is written down."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec


class NotHere(Exception):
    """What this machine cannot show, and why: it stands on the page in place of figures, and is no failure."""


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure: a ratio or a difference against `peer`, which was measured in the same run.

    Another machine has other seconds, but much the same ratios. `goal` is the limit that `better` gives a side to, none
    for what is shown as information. `note` says what holds a figure back, or what it was taken from. `samples` are the
    single values that `value` sums up. Figures of one name that differ in `at` (a size) are a trend."""

    name: str
    value: float
    unit: str  # "x" for a ratio, else the unit of a difference
    peer: str
    goal: float | None = None
    better: Literal["lower", "higher"] = "lower"
    note: str = ""
    samples: tuple[float, ...] = ()
    at: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal


class Machine(msgspec.Struct, frozen=True):
    """The machine that a run was made on, from /proc; `nodes` is how the lab's node VMs run, "kvm" or "tcg"."""

    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    nodes: str = ""

    def __str__(self) -> str:
        nodes = {"kvm": ", node VMs by KVM", "tcg": ", node VMs emulated (TCG)"}.get(self.nodes, "")
        return f"{self.cores} x {self.cpu}, {self.memory_bytes / 2**30:.0f} GiB, Linux {self.kernel}{nodes}"


class Result(msgspec.Struct, frozen=True):
    """What one topic brought, as it stands in out/bench/; `missing` says why it brought nothing here."""

    topic: str
    quick: bool
    date: str
    seconds: float
    machine: Machine
    figures: tuple[Figure, ...]
    missing: str = ""


def write(result: Result, folder: Path) -> Path:
    """The topic's file; a reader never sees half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.topic}.json"
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    partial.rename(path)
    return path


def read(folder: Path, order: Sequence[str]) -> list[Result]:
    """The results that are there, in the order of the topics."""
    paths = [folder / f"{topic}.json" for topic in order]
    return [msgspec.json.decode(path.read_bytes(), type=Result) for path in paths if path.exists()]


def this_machine(nodes: str = "", proc: Path = Path("/proc")) -> Machine:
    """Read from `proc`."""
    processors = (proc / "cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in processors if line.startswith("model name")]
    [total] = [line for line in (proc / "meminfo").read_text().splitlines() if line.startswith("MemTotal:")]
    return Machine(
        cpu=models[0] if models else "unnamed CPU",
        cores=sum(line.startswith("processor") for line in processors),
        memory_bytes=int(total.split()[1]) * 1024,
        kernel=(proc / "sys" / "kernel" / "osrelease").read_text().strip(),
        nodes=nodes,
    )
