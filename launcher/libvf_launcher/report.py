"""Passes on to the node's agent what the guest says of itself, as the launcher may not speak to the API server."""

import asyncio
import socket
from contextlib import suppress

from libvf_api.guest_report import Guest, encode

from libvf_launcher import guestagent
from libvf_launcher.paths import Paths

_AGAIN_SECONDS = 30
_SOONER_SECONDS = 5  # while no guest agent answers: the guest may still start
_FORGOTTEN = 12  # questions without an answer until what the guest said does not hold any more


async def tell(paths: Paths) -> None:
    """Ask and pass on until cancelled; it begins with nothing, as what a run before said holds no more.

    The same is said again and again: an agent that was restarted has not heard it.
    """
    if not paths.report.parent.is_dir():
        return  # the claim was prepared by an agent that does not listen yet
    said, silent = Guest(), 0
    while True:
        _send(paths, said)
        answer = await guestagent.ask(paths.guest_agent)
        silent = 0 if answer else silent + 1
        if answer or silent == _FORGOTTEN:
            said = answer or Guest()
            _send(paths, said)
        await asyncio.sleep(_AGAIN_SECONDS if answer else _SOONER_SECONDS)


def _send(paths: Paths, said: Guest) -> None:
    """At once or not at all: the agent may be away, or not have read the last ones."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as line:
        line.sendto(encode(said), str(paths.report))
