"""What a process costs: from /proc, by the kernel's own count."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, and memory in bytes: all that is resident, and its share of what others map too."""

    cpu: float
    rss: int
    pss: int


def cpu_seconds(pid: int, proc: Path = Path("/proc")) -> float:
    """User and system time of all threads: fields 14 and 15 of /proc/PID/stat (proc(5))."""
    fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, proc: Path = Path("/proc")) -> dict[str, int]:
    """The lines of smaps_rollup by name, in bytes."""
    lines = (proc / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    return {name.strip(): int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}


def usage(pid: int, proc: Path = Path("/proc")) -> Usage:
    """Both, now."""
    found = memory(pid, proc)
    return Usage(cpu_seconds(pid, proc), found["Rss"], found["Pss"])


@dataclass
class Samples:
    """Moments, and what a process had used by then."""

    times: list[float] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)


@contextmanager
def sampled(pid: int, seconds: float) -> Iterator[Samples]:
    """A sample each so many seconds while this is open, taken by a thread of its own."""
    found, ended = Samples(), Event()

    def look() -> None:
        while not ended.wait(seconds):
            found.times.append(time.monotonic())
            found.usages.append(usage(pid))

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
