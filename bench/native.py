"""What a prepare takes of a CPU that is not emulated: the agent's driver with its journal and files, and a real API
server, all on this machine; the card is the fake kernel's, whose write takes no time.

It is called as the RPC calls it: OR-Tools wants an older protobuf than the wire's, so no RPC can be had here.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path

from libvf_agent.claims import ClaimRef
from libvf_api.apiserver import ApiServer

from bench.innode.claims import NAME, allocated
from bench.packing.cards import LINEAR
from bench.packing.host import FakeHost
from lab.loopback import control_plane

_HOST, _KIND = "here", "mbochs-1g"


def prepares(rounds: int) -> list[float]:
    """Seconds of each; the first is not counted."""
    with tempfile.TemporaryDirectory(prefix="bench-prepare-") as name:
        folder = Path(name)
        with control_plane(folder, schedules=False) as api:
            os.environ["KUBECONFIG"] = str(api.kubeconfig)
            return asyncio.run(_prepares(folder, rounds))


async def _prepares(folder: Path, rounds: int) -> list[float]:
    server = await ApiServer.connect()
    host = FakeHost(_HOST, (LINEAR,), server, folder)
    try:
        await host.begin()
        ref = ClaimRef("default", NAME, await allocated(server, _KIND, _HOST))
        return [await _prepare(host, ref) for _ in range(rounds + 1)][1:]
    finally:
        await server.close()


async def _prepare(host: FakeHost, ref: ClaimRef) -> float:
    """Seconds; what it carved is given back."""
    began = time.monotonic()
    await host.carve(ref)
    seconds = time.monotonic() - began
    await host.release(ref)
    return seconds
