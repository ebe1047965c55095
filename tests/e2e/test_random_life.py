"""A random life on a card of the kernel's own: the scheduler's word and the judge's against the real mbochs driver.

The lab's scheduler places, on a node that is only an object; what it allocates is carved on the first node's kernel,
through a journal of this test's own. The agent that runs there is left alone: these devices are foreign to it.
LIBVF_SEED repeats a run, LIBVF_REAL_OPERATIONS makes it longer.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

import pytest
from libvf_agent.sysfs import Files
from libvf_api.apiserver import ApiServer

from lab.testbed import Testbed
from tests.contract.nodekernel import NodeKernel
from tests.integration.judge.pool import Card
from tests.integration.life.by_hand import MDEV_BUS, MDEVS
from tests.integration.life.home import Home
from tests.integration.life.kinds import KINDS
from tests.integration.life.life import Ground, Life
from tests.integration.life.scheduler import LABEL, Scheduler

pytestmark = pytest.mark.e2e

OPERATIONS = int(os.environ.get("LIBVF_REAL_OPERATIONS", "40"))
CARD = "mbochs"
NODE = "random-life"


@dataclass(frozen=True, slots=True)
class OneCard:
    """A node's kernel of which only one card is seen, and no process and no PCI function: nobody opens these devices,
    and to look at all that is thousands of files, each through the API server."""

    kernel: NodeKernel

    def read(self, path: str) -> str:
        return self.kernel.read(path)

    def write(self, path: str, value: str) -> None:
        self.kernel.write(path, value)

    def names(self, path: str) -> list[str]:
        if path in ("proc", "sys/bus/pci/devices"):
            return []
        return [CARD] if path == MDEV_BUS else self.kernel.names(path)

    def link(self, path: str) -> str:
        return self.kernel.link(path)

    def real(self, path: str) -> str:
        return self.kernel.real(path)

    def exists(self, path: str) -> bool:
        return self.kernel.exists(path)

    def run(self, argv: tuple[str, ...]) -> None:
        self.kernel.run(argv)

    def ask(self, argv: tuple[str, ...]) -> str:
        return self.kernel.ask(argv)

    def macs(self, link: str) -> list[str]:
        return self.kernel.macs(link)

    def set_mac(self, link: str, number: int, mac: str) -> None:
        self.kernel.set_mac(link, number, mac)


@pytest.fixture
def kernel(bed: Testbed) -> Iterator[Files]:
    """The first node's mbochs with nothing on it, before and after."""
    kernel = NodeKernel(bed, "n1")
    _clear(kernel)
    yield OneCard(kernel)
    _clear(kernel)
    kernel.close()


def _clear(kernel: Files) -> None:
    for name in kernel.names(MDEVS):
        kernel.write(f"{MDEVS}/{name}/remove", "1")


@pytest.fixture
def kubeconfig(bed: Testbed, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KUBECONFIG", str(bed.kubeconfig))
    yield
    bed.kubectl("delete", "pods", "-l", LABEL, "--force", "--grace-period=0", "--wait")
    bed.kubectl("delete", "resourceclaims", "-l", LABEL, "--wait", "--timeout=60s")
    bed.kubectl("delete", "node", NODE, "--ignore-not-found")
    # the DaemonSet's Pod for a node that has no kubelet to end it
    selector = f"--field-selector=spec.nodeName={NODE}"
    bed.kubectl("delete", "pods", "--all-namespaces", selector, "--force", "--grace-period=0")


@pytest.mark.usefixtures("kubeconfig")
@pytest.mark.long
async def test_the_real_driver_takes_what_is_allocated_and_has_no_room_for_what_is_refused(
    kernel: Files, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seed = int(os.environ.get("LIBVF_SEED") or SystemRandom().randrange(1 << 32))
    kind = KINDS[CARD]
    server = await ApiServer.connect()
    try:
        async with Scheduler.watched(server) as scheduler:
            home = Home(NODE, kernel, {}, server, tmp_path, seconds=60)
            card = Card(CARD, kind.rule, kind.vendor, numa_node=0)
            life = Life(home, Ground([card], {CARD: kind.by_hand}), scheduler, seed)
            await life.live(OPERATIONS)
    finally:
        await server.close()
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\non the real {CARD}: {dict(life.tally.steps)}, LIBVF_SEED={seed}")
    assert life.tally.steps["allocated"]
    assert life.tally.steps["refused"]
    assert life.tally.steps["refused by hand"] + life.tally.steps["made by hand"]
