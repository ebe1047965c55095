"""Each virtual CPU's thread on a CPU of its own, and all else that QEMU does apart from them.

A thread begins with the CPUs of who starts it. So the launcher takes those that are no virtual CPU's first, and QEMU,
its I/O threads and the programs beside it have them from birth; only virtual CPUs are moved then.
"""

import os
from collections.abc import Iterable
from typing import Any

from qemu.qmp import QMPClient, QMPError
from qemu.qmp.protocol import StateError

from libvf_launcher.cell import Cell
from libvf_launcher.errors import DeviceMissing


def begin(cell: Cell, vcpus: int) -> None:
    """This program, and all that it starts from now on; raises DeviceMissing where the container has not these CPUs."""
    wanted = cell.beside(vcpus)
    try:
        os.sched_setaffinity(0, wanted)
    except OSError as error:
        told = ", ".join(map(str, sorted(wanted)))
        raise DeviceMissing(
            f"CPUs {told} of its cell are not this container's: {error.strerror}: delete the Pod"
        ) from error


async def pin(client: QMPClient, cell: Cell) -> None:
    """Virtual CPUs; where that fails the guest runs on, and its node's agent sees it."""
    try:
        listed: Any = await client.execute("query-cpus-fast")
        for thread, cpus in plan(listed, cell).items():
            os.sched_setaffinity(thread, cpus)
    except (OSError, QMPError, StateError, EOFError) as error:
        print(f"virtual CPUs are not pinned: {error}", flush=True)


def plan(listed: Iterable[dict[str, Any]], cell: Cell) -> dict[int, frozenset[int]]:
    """From QMP's list to the CPUs of each thread; an emulator that has one thread for all gives it all of theirs."""
    found: dict[int, frozenset[int]] = {}
    for one in listed:
        thread, index = int(one["thread-id"]), int(one["cpu-index"])
        found[thread] = found.get(thread, frozenset()) | {cell.cpus[index]}
    return found
