"""`python -m libvf_operator`: watches feed the reconciler; nothing else is decided here."""

import asyncio
import logging
import os
import signal
import sys

from libvf_operator.cluster import Cluster
from libvf_operator.liveness import answering
from libvf_operator.pod import Settings
from libvf_operator.reconcile import Reconciler
from libvf_operator.store import KINDS
from libvf_operator.watches import Watch

_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


async def operate() -> None:
    """Until told to end; what ends by itself ends all, and kubelet starts it anew."""
    cluster = await Cluster.connect()
    image = os.environ.get("LIBVF_LAUNCHER_IMAGE", "libvf.io/launcher:latest")
    ratio = max(1, int(os.environ.get("LIBVF_CPU_ALLOCATION_RATIO", "10")))
    reconciler = Reconciler(cluster, Settings(image, cpu_allocation_ratio=ratio))
    endpoint = os.environ.get("LIBVF_LIVENESS", "http://0.0.0.0:8080/healthz")
    try:
        async with answering(endpoint), asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(reconciler.run())]
            running += [tasks.create_task(Watch(kind, cluster, reconciler).run()) for kind in KINDS]
            await _told_to_end()
            for task in running:
                task.cancel()
    finally:
        await cluster.close()


async def _told_to_end() -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


def main() -> None:
    """Run until told to end."""
    logging.basicConfig(level=logging.INFO, format=_LINE, stream=sys.stderr)
    asyncio.run(operate())


if __name__ == "__main__":
    main()
