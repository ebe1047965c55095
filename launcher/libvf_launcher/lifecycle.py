"""The VM's life in its Pod: prepare, start, be ready, stop when told, say why it ended."""

import asyncio
import json
import shlex
import signal
from collections.abc import Awaitable, Callable

from libvf_api.termination import Termination
from qemu.qmp import ConnectError

from libvf_launcher import guestagent, pinning, report
from libvf_launcher.companions import Companions
from libvf_launcher.errors import LaunchError
from libvf_launcher.monitor import Monitor
from libvf_launcher.paths import Paths
from libvf_launcher.prepared import Prepared
from libvf_launcher.process import Qemu, explain, refused
from libvf_launcher.readiness import Readiness

_HEARD_SECONDS = 20  # a guest that has not gone by then may not hear the power button: its agent is asked
_QUIT_SECONDS = 2.5  # for QEMU to end when it is told to


async def run(paths: Paths, preparing: Callable[[], Awaitable[Prepared]]) -> Termination:
    """Run the VM to its end; never raises a LaunchError, but tells it."""
    told, companions, readiness = _told_to_stop(), Companions(), Readiness(paths)
    try:
        async with readiness.served():
            return await _run(paths, told, companions, readiness, await preparing())
    except LaunchError as error:
        return refused(error)
    finally:
        await companions.end()


async def _run(
    paths: Paths, told: asyncio.Event, companions: Companions, readiness: Readiness, prepared: Prepared
) -> Termination:
    if prepared.cell:
        pinning.begin(prepared.cell, prepared.vcpus)
    _forget_last_run(paths)
    await companions.start(prepared.beside)
    if told.is_set():  # no guest is begun that would have to be ended at once, before it hears anything
        return Termination("Stopped", "the machine was told to stop before its guest was started")
    print(shlex.join(prepared.argv), flush=True)
    paths.command.write_text(json.dumps(prepared.argv))
    return await _live(await Qemu.start(prepared.argv, paths), paths, readiness, told, prepared)


async def _live(qemu: Qemu, paths: Paths, readiness: Readiness, told: asyncio.Event, prepared: Prepared) -> Termination:
    ended = asyncio.create_task(qemu.wait())
    monitor = await _connect(qemu, paths)
    if monitor is None:
        return explain(await ended, qemu.last_words, None, asked=told.is_set(), killed=False)
    if prepared.cell:
        await pinning.pin(monitor.client, prepared.cell)
    watching = asyncio.create_task(monitor.watch(readiness))
    telling = asyncio.create_task(report.tell(paths))
    stop = asyncio.create_task(told.wait())
    await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
    telling.cancel()
    killed = not ended.done() and await _stop(qemu, monitor, ended, paths, prepared.grace)
    code = await ended
    stop.cancel()
    watching.cancel()  # a listener does not end with its connection
    await asyncio.wait({watching})
    await monitor.close()
    return explain(code, qemu.last_words, monitor.shutdown, asked=told.is_set(), killed=killed)


async def _connect(qemu: Qemu, paths: Paths) -> Monitor | None:
    """A monitor, or None if QEMU ended first."""
    connecting = asyncio.create_task(Monitor.connect(paths.qmp))
    ended = asyncio.create_task(qemu.process.wait())
    await asyncio.wait({connecting, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not connecting.done():
        connecting.cancel()
        return None
    ended.cancel()
    try:
        return connecting.result()
    except ConnectError:
        qemu.kill()
        return None


async def _stop(qemu: Qemu, monitor: Monitor, ended: "asyncio.Task[int]", paths: Paths, seconds: float) -> bool:
    """Shut the guest down; True if it had to be ended."""
    print(f"stopping: the guest has {seconds:.0f} s to shut down", flush=True)
    pressing = asyncio.create_task(monitor.power_down())
    asking = asyncio.create_task(guestagent.shut_down(paths.guest_agent, _HEARD_SECONDS))
    done, _ = await asyncio.wait({ended}, timeout=seconds)
    pressing.cancel()
    asking.cancel()
    if done:
        return False
    await monitor.quit()
    await asyncio.wait({ended}, timeout=_QUIT_SECONDS)
    qemu.kill()
    return True


def _told_to_stop() -> asyncio.Event:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


def _forget_last_run(paths: Paths) -> None:
    """A container that restarts in its Pod finds the sockets of the run before."""
    sockets = (paths.qmp, paths.qmp_admin, paths.vnc, paths.spice, paths.serial, paths.guest_agent)
    for path in sockets:
        path.unlink(missing_ok=True)
