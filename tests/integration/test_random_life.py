"""Random lives of nodes with every kind of card, through the real scheduler and the agent's driver on a fake kernel.

Never an allocation that the driver refuses, never a refusal of what fits on a card by its driver's rules: judged by
tests/integration/judge, which knows the vendors' tables and nothing of how the agent tells them to the scheduler.
LIBVF_SEED repeats a run, LIBVF_OPERATIONS makes it longer.
"""

import asyncio
import os
import time
from pathlib import Path
from random import SystemRandom

import pytest
from libvf_api.apiserver import ApiServer

from tests.integration.conftest import Api
from tests.integration.life.home import Home
from tests.integration.life.kinds import Hardware, Plan
from tests.integration.life.life import Ground, Life
from tests.integration.life.scheduler import Scheduler

pytestmark = pytest.mark.integration

OPERATIONS = int(os.environ.get("LIBVF_OPERATIONS", "2000"))
# each is a node with a pool of cards of its own; they live side by side
PLANS = {
    "a2": Plan(("A2", "A2"), numa_nodes=2),
    "p40": Plan(("P40",)),
    "gvtg": Plan(("GVT-g",)),
    "narrow": Plan(("GVT-g, small aperture", "mtty")),
    "samples": Plan(("mdpy", "mbochs", "mtty")),
    "mixed": Plan(("A2", "GVT-g", "mbochs")),
    "blind": Plan(("P40", "mdpy"), numa_nodes=2),
    "functions": Plan(("SR-IOV", "SR-IOV"), numa_nodes=2),
    "by-hand": Plan(("SR-IOV, made by hand",)),
    "few": Plan(("A2, few functions",)),
    "a6000": Plan(("RTX A6000",)),
    "vgpus": Plan(("L40S",)),
    "mixed-sizes": Plan(("L4, mixed",)),
    "xe": Plan(("xe",)),
    "vendors": Plan(("L4, mixed", "xe", "A2")),
    "desktop": Plan(("graphics card", "graphics card", "mdpy", "GVT-g")),
}


async def test_what_is_allocated_is_carved_and_what_fits_is_allocated(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    seed = int(os.environ.get("LIBVF_SEED") or SystemRandom().randrange(1 << 32))
    started = time.monotonic()
    server = await ApiServer.connect()
    try:
        async with Scheduler.watched(server) as scheduler, asyncio.TaskGroup() as together:
            lives = [_life(name, plan, server, scheduler, tmp_path, seed) for name, plan in PLANS.items()]
            for life in lives:
                together.create_task(life.live(-(-OPERATIONS // len(lives))))
    finally:
        await server.close()
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{_told(lives, time.monotonic() - started, scheduler.asked_again)}, LIBVF_SEED={seed}")
    for life in lives:
        assert life.tally.steps["allocated"], f"nothing was allocated on {life.home.name}"
        assert life.tally.steps["refused"], f"nothing was refused on {life.home.name}"


def _life(name: str, plan: Plan, server: ApiServer, scheduler: Scheduler, folder: Path, seed: int) -> Life:
    hardware = Hardware(plan)
    home = Home(name, hardware.kernel, hardware.policies, server, folder / name)
    return Life(home, Ground(hardware.cards, hardware.by_hand, hardware.reboot), scheduler, seed)


def _told(lives: list[Life], seconds: float, asked_again: int) -> str:
    total = sum((life.tally.steps for life in lives), start=type(lives[0].tally.steps)())
    operations = sum(life.tally.operations for life in lives)
    steps = ", ".join(f"{count} {step}" for step, count in total.items())
    rate = f"{operations} requests and releases in {seconds:.0f} s ({operations / seconds:.1f} a second)"
    return f"{rate}: {steps}; {asked_again} answers were of older news and asked for again"
