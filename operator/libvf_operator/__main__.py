"""`python -m libvf_operator`: kopf's watches feed the reconciler; nothing else is decided here."""

import asyncio
import contextlib
import gc
import os
import socket
from typing import Any

import kopf
import uvloop
from kopf._core.engines import peering
from libvf_api import names

from libvf_operator.cluster import PAGE, Cluster
from libvf_operator.pod import Settings
from libvf_operator.reconcile import RESYNC_SECONDS, Reconciler

_IDLE_SECONDS = 0.1
# new objects that call for a collection, where Python's own 700 were a quarter of a start's CPU: what is kept is walked
# over again and again, and next to nothing of it is garbage
_GARBAGE = 20_000
OURS = {names.MANAGED_BY: names.MANAGER}


class NoEssence(kopf.DiffBaseStorage):
    """What kopf would compare two states of an object by: no handler here asks, and the copies were a tenth of all CPU.

    The states are compared by `Store`, by resource version.
    """

    def build(self, *, body: kopf.Body, extra_fields: object = None) -> kopf.BodyEssence:
        """Nothing of it."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> None:
        """Nothing was kept."""

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Keeps nothing."""


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Connect, then reconcile in the background."""
    settings.posting.enabled = False
    settings.watching.server_timeout = 240
    settings.watching.client_timeout = 300
    # memory is never given back: a list that is parsed whole, and each object that its worker holds while it waits for
    # more of it, were two thirds of what the operator had for each object
    settings.watching.chunk_size = PAGE
    settings.queueing.idle_timeout = _IDLE_SECONDS
    settings.persistence.finalizer = "libvf.io/operator"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="libvf.io", v1=False)
    settings.persistence.diffbase_storage = NoEssence()
    image = os.environ.get("LIBVF_LAUNCHER_IMAGE", "libvf.io/launcher:latest")
    memo.cluster = await Cluster.connect()
    ratio = max(1, int(os.environ.get("LIBVF_CPU_ALLOCATION_RATIO", "10")))
    memo.reconciler = Reconciler(memo.cluster, Settings(image, cpu_allocation_ratio=ratio))
    seconds = float(os.environ.get("LIBVF_RESYNC_SECONDS", RESYNC_SECONDS))
    memo.tasks = [asyncio.create_task(memo.reconciler.run()), asyncio.create_task(memo.reconciler.resync(seconds))]


@kopf.on.cleanup()
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """End the background tasks."""
    for task in memo.tasks:
        task.cancel()
    await memo.cluster.close()


@kopf.on.probe(id="reconciler")
def alive(memo: kopf.Memo, **_: Any) -> bool:
    """Whether both tasks still run; a probe that raises fails the liveness check."""
    ended = [task for task in memo.tasks if task.done()]
    if ended:
        raise RuntimeError(f"a background task of the operator ended: {ended}")
    return True


@kopf.on.event(names.GROUP, names.VERSION, names.MACHINES)
@kopf.on.event(names.GROUP, names.VERSION, names.PARTITIONS)
@kopf.on.event(names.GROUP, names.VERSION, names.POLICIES)
@kopf.on.event("resource.k8s.io", "v1", "resourceclaims")
@kopf.on.event("", "v1", "pods", labels=OURS)
@kopf.on.event("", "v1", "services", labels=OURS)
@kopf.on.event("", "v1", "persistentvolumeclaims")
@kopf.on.event("", "v1", "nodes")
async def changed(body: kopf.Body, type: str | None, memo: kopf.Memo, **_: Any) -> None:
    """Something changed: remember it, and look at whom it concerns."""
    thing = dict(body)
    memo.reconciler.add(memo.reconciler.store.put(thing["kind"], thing, deleted=type == "DELETED"))


def main() -> None:
    """Run until told to end."""
    gc.set_threshold(_GARBAGE)
    # kopf would ask for a user name, which a container's uid does not have
    identity = peering.Identity(socket.gethostname())
    endpoint = os.environ.get("LIBVF_LIVENESS", "http://0.0.0.0:8080/healthz")
    run = kopf.operator(clusterwide=True, standalone=True, identity=identity, liveness_endpoint=endpoint)
    with contextlib.suppress(asyncio.CancelledError):  # when told to end
        uvloop.run(run)


if __name__ == "__main__":
    main()
