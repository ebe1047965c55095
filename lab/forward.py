"""A forwarder from the host's loopback into the lab's network namespace.

A socket belongs to the namespace of the thread that made it: so listen first, enter the namespace, and
every connection made from then on goes to the lab. Run as `python -m lab.forward PORT ADDRESS PORT`.
"""

import asyncio
import ctypes
import os
import socket
import sys

from lab.network import NAMESPACE

_CLONE_NEWNET = 0x40000000  # sched.h; os.setns exists only from Python 3.12


def enter_namespace(name: str) -> None:
    """Move this thread into a named network namespace; raises OSError where it does not exist."""
    descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {name}: is the lab up?")
    os.close(descriptor)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except ConnectionError:
        writer.close()


async def _serve(listener: socket.socket, address: str, port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(address, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        far_writer.close()
        writer.close()

    server = await asyncio.start_server(connected, sock=listener)
    await server.serve_forever()


def main(arguments: list[str]) -> None:
    """Forward 127.0.0.1:PORT to ADDRESS:PORT inside the lab, until ended."""
    port, address, far_port = int(arguments[0]), arguments[1], int(arguments[2])
    listener = socket.create_server(("127.0.0.1", port))
    enter_namespace(NAMESPACE)
    asyncio.run(_serve(listener, address, far_port))


if __name__ == "__main__":
    main(sys.argv[1:])
