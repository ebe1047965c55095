"""QMP: readiness while the guest runs, and its graceful end."""

import asyncio
from pathlib import Path
from typing import Any

from qemu.qmp import ConnectError, QMPClient, QMPError
from qemu.qmp.protocol import StateError

from libvf_launcher.readiness import Readiness

_CONNECT_SECONDS = 30
_POWERDOWN_EVERY = 5  # seconds: a guest that still boots misses the first ones


class Monitor:
    """A QMP connection; `shutdown` is the cause that QEMU gave for the guest's end."""

    def __init__(self, client: QMPClient) -> None:
        self.client = client
        self.shutdown: str | None = None

    @classmethod
    async def connect(cls, socket: Path) -> "Monitor":
        """Connect as soon as QEMU listens; raises ConnectError when it never does."""
        for _ in range(_CONNECT_SECONDS * 10):
            client = QMPClient("libvf")
            try:
                await client.connect(str(socket))
                return cls(client)
            except ConnectError:
                await asyncio.sleep(0.1)
        raise ConnectError(f"QEMU did not open {socket} within {_CONNECT_SECONDS} s", OSError())

    async def watch(self, readiness: Readiness) -> None:
        """Keep the readiness in step with the guest until QEMU is gone."""
        try:
            await self._follow(readiness)
        except (QMPError, StateError, EOFError):
            pass  # the connection ends when QEMU does, and that is waited for elsewhere
        finally:
            readiness.tell(running=False)

    async def power_down(self) -> None:
        """Press the guest's power button again and again until QEMU is gone."""
        while True:
            try:
                await self.client.execute("system_powerdown")
            except (QMPError, StateError, EOFError):
                return
            await asyncio.sleep(_POWERDOWN_EVERY)

    async def quit(self) -> None:
        """End QEMU without the guest's consent."""
        try:
            await self.client.execute("quit")
        except (QMPError, StateError, EOFError):
            return

    async def close(self) -> None:
        """Collect what the connection still has to say; QEMU may be gone already."""
        try:
            await self.client.disconnect()
        except (QMPError, StateError, EOFError):
            return

    async def _follow(self, readiness: Readiness) -> None:
        with self.client.listener(("STOP", "RESUME", "SHUTDOWN")) as events:
            status: Any = await self.client.execute("query-status")
            readiness.tell(status["status"] == "running")
            async for event in events:
                if event["event"] == "SHUTDOWN":
                    data: Any = event["data"]
                    self.shutdown = str(data["reason"])
                readiness.tell(event["event"] == "RESUME")


async def execute(socket: Path, command: str, arguments: dict[str, Any] | None = None) -> Any:
    """One command on a fresh connection, for `libvf-launcher qmp` and `screenshot`."""
    monitor = await Monitor.connect(socket)
    try:
        return await monitor.client.execute(command, arguments)
    finally:
        await monitor.client.disconnect()
