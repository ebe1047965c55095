"""The agent's life: recover, serve kubelet, publish, look again; and end cleanly."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from libvf_api.host import Examination

from libvf_agent import hotplug, tap
from libvf_agent.backends.known import known
from libvf_agent.cluster import Cluster, Door
from libvf_agent.config import Config, hook_file
from libvf_agent.doctor.facts import NodeInfo
from libvf_agent.doctor.look import look
from libvf_agent.doors import Doors
from libvf_agent.driver import Driver
from libvf_agent.errors import AgentError, ClusterError, JournalError
from libvf_agent.files import write_whole
from libvf_agent.host import Host, Places
from libvf_agent.local_port import Page, serving
from libvf_agent.metrics import CONTENT_TYPE
from libvf_agent.node_condition import NodeCondition
from libvf_agent.plugin import Sockets
from libvf_agent.sysfs import HostFiles, Sysfs

log = logging.getLogger("libvf.agent")

RESCAN_SECONDS = 60.0
RETRY_SECONDS = 3.0
SETTLE_SECONDS = 0.2
LISTEN_SECONDS = 5.0
GLANCE_SECONDS = 15.0


async def run(config: Config) -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    for name in (config.hook_source.name, tap.HOOK):
        install_hook(config.hook_source.with_name(name), hook_file(config.state).with_name(name))
    host = host_of(config)
    await _recovered(host, stop)
    cluster = await Cluster.connect()
    try:
        await serve(config, Driver(host, cluster), cluster, stop)
    finally:
        await cluster.close()
        host.journal.unlock()
    log.info("stopped")


def host_of(config: Config) -> Host:
    """The host as the configuration says."""
    places = Places(config.state, config.cdi, config.metadata, str(hook_file(config.state)))
    sysfs = Sysfs(HostFiles(config.sysfs_root))
    kubelet = str(config.kubelet).lstrip("/")
    doors = Doors(sysfs, usb_ids=config.usb, reserve=config.reserve, kubelet=kubelet)
    return Host(config.node, doors, known(), places)


def install_hook(source: Path, target: Path) -> None:
    """Puts the helper where the container runtime of the host finds it; hosts need no shell for it."""
    if not source.exists():
        log.error("no hook to install: guests will miss RLIMIT_MEMLOCK or their tap", extra={"path": str(source)})
        return
    content = source.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        write_whole(target, content, 0o755)


async def _recovered(host: Host, stop: asyncio.Event) -> None:
    """Takes the journal, waiting for an agent that still has it, and mends what was left."""
    while not stop.is_set():
        try:
            for failure in await asyncio.to_thread(host.recover):
                log.error("left over", extra={"error": str(failure)})
            return
        except JournalError as error:
            log.warning("waiting", extra={"error": str(error)})
            await asyncio.sleep(1)


async def serve(config: Config, driver: Driver, door: Door, stop: asyncio.Event) -> None:
    """Kubelet's sockets, the local port and the loops, until `stop`."""
    sockets = Sockets(driver, config.kubelet)
    end_hotplug = hotplug.watch(driver.changed.set)
    driver.changed.set()
    await sockets.start()
    log.info("serving", extra={"node": config.node, "socket": str(sockets.endpoint)})
    try:
        async with serving(config.health_port, _pages(driver)), _tasks(driver, door, _condition(config, driver, door)):
            await stop.wait()
    finally:
        end_hotplug()
        await sockets.stop()


@asynccontextmanager
async def _tasks(driver: Driver, door: Door, condition: NodeCondition) -> AsyncIterator[None]:
    """The loops that go on beside the calls."""
    watches = (_watch_forever(driver, door), _policies_forever(driver, door))
    looks = (_tell_forever(condition), _listen(driver), _glance_forever(driver))
    loops = (_publish_forever(driver), *watches, _reap_forever(driver), *looks)
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _publish_forever(driver: Driver) -> None:
    """Publishes after each change, and now and then without one."""
    while True:
        try:
            await asyncio.wait_for(driver.changed.wait(), RESCAN_SECONDS)
        except TimeoutError:
            log.debug("looking again")
        await asyncio.sleep(SETTLE_SECONDS)
        driver.changed.clear()
        try:
            if written := await driver.publish():
                log.info("published", extra={"slices": written})
        except Exception as error:
            log.warning("not published", extra={"error": str(error)})
            await asyncio.sleep(RETRY_SECONDS)
            driver.changed.set()


async def _watch_forever(driver: Driver, door: Door) -> None:
    """Publishes again when somebody removes our slices, as kubelet does when it starts."""
    while True:
        try:
            async for event in door.slice_events(driver.host.node):
                if event["type"] in ("DELETED", "ERROR"):
                    driver.changed.set()
                    await asyncio.sleep(SETTLE_SECONDS)
        except Exception as error:
            log.warning("watch ended", extra={"error": str(error)})
            await asyncio.sleep(RETRY_SECONDS)
        driver.changed.set()


async def _policies_forever(driver: Driver, door: Door) -> None:
    """Looks again when a policy was made, changed or deleted; who writes a status does not count."""
    while True:
        try:
            async for event in door.policy_events():
                if driver.is_news(event):
                    driver.changed.set()
        except ClusterError as error:
            missing = error.status == 404  # an older cluster: it is asked again, as somebody may update it
            log.log(logging.DEBUG if missing else logging.WARNING, "policies not watched", extra={"error": str(error)})
            await asyncio.sleep(RESCAN_SECONDS if missing else RETRY_SECONDS)


async def _reap_forever(driver: Driver) -> None:
    """Looks at the claims of the journal now and then."""
    while True:
        try:
            await driver.reap()
        except (AgentError, OSError) as error:
            log.warning("not reaped", extra={"error": str(error)})
        await asyncio.sleep(RESCAN_SECONDS)


async def _listen(driver: Driver) -> None:
    """Passes on what guests say of themselves."""
    try:
        while True:
            try:
                await driver.guests.pass_on()
            except OSError as error:
                log.warning("guests not listened to", extra={"error": str(error)})
            await asyncio.sleep(LISTEN_SECONDS)
    finally:
        driver.guests.close()


async def _glance_forever(driver: Driver) -> None:
    """Looks where machines are that are held to a NUMA node."""
    while True:
        try:
            await driver.whereabouts.look()
        except (AgentError, OSError) as error:
            log.warning("not looked where machines are", extra={"error": str(error)})
        await asyncio.sleep(GLANCE_SECONDS)


async def _tell_forever(condition: NodeCondition) -> None:
    """Looks at the host now and then, and tells the Node where something else is to be said."""
    while True:
        try:
            if await condition.refresh():
                log.info("node condition written")
        except Exception as error:
            log.warning("node condition not written", extra={"error": str(error)})
        await asyncio.sleep(RESCAN_SECONDS)


def _condition(config: Config, driver: Driver, door: Door) -> NodeCondition:
    def examined(node: NodeInfo) -> Examination:
        return look(Path(config.sysfs_root), hook_file(config.state), node)

    return NodeCondition(config.node, door, examined, driver.metrics)


def _pages(driver: Driver) -> dict[str, Page]:
    """Liveness is that the loop turns at all."""

    async def healthz() -> str:
        return "ok\n"

    async def metrics() -> str:
        return driver.metrics.text(await asyncio.to_thread(driver.host.carved))

    return {"/healthz": Page(healthz), "/metrics": Page(metrics, CONTENT_TYPE)}
