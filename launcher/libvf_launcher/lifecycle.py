"""The VM's life in its Pod: prepare, start, be ready, stop when told, say why it ended."""

import asyncio
import json
import shlex
import signal
from dataclasses import dataclass

import msgspec
from libvf_api import launch as document
from libvf_api.launch import Launch
from libvf_api.termination import Termination
from libvf_api.v1alpha1 import Cpu
from qemu.qmp import ConnectError

from libvf_launcher import cell as cells
from libvf_launcher import devices, dhcp, disks, firmware, guestagent, iso, making, pinning, report, sharing, tpm
from libvf_launcher.cell import Cell
from libvf_launcher.command_line import command_line
from libvf_launcher.companions import Companion, Companions
from libvf_launcher.devices import Devices
from libvf_launcher.errors import BadMachine, LaunchError
from libvf_launcher.monitor import Monitor
from libvf_launcher.paths import Paths
from libvf_launcher.process import Qemu, explain, refused
from libvf_launcher.readiness import Readiness

_DEFAULT_GRACE = 180
_HEARD_SECONDS = 20  # a guest that has not gone by then may not hear the power button: its agent is asked
_A_ROUND = 0.01  # seconds in which the loop hears of a signal that came while something was made
_RESERVE = 5  # seconds of the grace period that are kept for ending QEMU ourselves


@dataclass(frozen=True, slots=True)
class Care:
    """How a guest is kept: seconds that it may take to shut down, and the cell that its threads are pinned to."""

    grace: float
    cell: Cell | None = None


async def run(paths: Paths) -> Termination:
    """Run the VM to its end; never raises a LaunchError, but tells it."""
    told, companions, readiness = _told_to_stop(), Companions(), Readiness(paths)
    try:
        async with readiness.served():
            return await _run(paths, told, companions, readiness)
    except LaunchError as error:
        return refused(error)
    finally:
        await companions.end()


async def _run(paths: Paths, told: asyncio.Event, companions: Companions, readiness: Readiness) -> Termination:
    launch = load(paths)
    found = devices.read(launch, paths)
    argv = command_line(launch, found, paths)
    if found.cell:
        pinning.begin(found.cell, cells.count(launch.spec.cpu or Cpu()))
    for drive in disks.drives(launch.spec, paths):
        making.make(drive)
    firmware.make(firmware.uefi(launch, paths))
    tpm.make(launch, paths)
    iso.make(launch, paths)
    _forget_last_run(paths)
    await companions.start(beside(launch, found, paths))
    await asyncio.sleep(_A_ROUND)
    if told.is_set():  # no guest is begun that would have to be ended at once, before it hears anything
        return Termination("Stopped", "the machine was told to stop before its guest was started")
    print(shlex.join(argv), flush=True)
    paths.command.write_text(json.dumps(argv))
    return await _live(await Qemu.start(argv, paths), paths, readiness, told, Care(grace(launch), found.cell))


def beside(launch: Launch, found: Devices, paths: Paths) -> list[Companion]:
    """The programs that this VM needs beside QEMU. Pure."""
    address = [dhcp.companion(found.tap, paths)] if found.tap else []
    return [*tpm.beside(launch, paths), *sharing.beside(launch, paths), *address]


def load(paths: Paths) -> Launch:
    """The launch document; raises BadMachine with the field that is wrong."""
    try:
        return document.decode(paths.machine.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise BadMachine(f"{paths.machine}: {error}") from error


def grace(launch: Launch) -> float:
    """Seconds the guest may take to shut down: what kubelet gives, less what ending QEMU takes."""
    given = launch.spec.termination_grace_period_seconds or _DEFAULT_GRACE
    return max(given - _RESERVE, given / 2)


async def _live(qemu: Qemu, paths: Paths, readiness: Readiness, told: asyncio.Event, care: Care) -> Termination:
    ended = asyncio.create_task(qemu.wait())
    monitor = await _connect(qemu, paths)
    if monitor is None:
        return explain(await ended, qemu.last_words, None, asked=told.is_set(), killed=False)
    if care.cell:
        await pinning.pin(monitor.client, care.cell)
    watching = asyncio.create_task(monitor.watch(readiness))
    telling = asyncio.create_task(report.tell(paths))
    stop = asyncio.create_task(told.wait())
    await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
    telling.cancel()
    killed = not ended.done() and await _stop(qemu, monitor, ended, paths, care.grace)
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
    await asyncio.wait({ended}, timeout=_RESERVE / 2)
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
