"""One host for every way of carving, with what stands on it that is not ours: what is asked of it, what may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from libvf_agent.rules import CardId, Quota, Rules, RulesOf, careful

from tests.fakekernel.cards import gvtg, mbochs, mdpy, mtty, nvidia
from tests.fakekernel.host import FakeHost
from tests.fakekernel.mdev import Card, MediatedHost
from tests.fakekernel.network import Ethernet
from tests.fakekernel.nvidia import NvidiaHost
from tests.fakekernel.nvidia_models import l4, l40s
from tests.fakekernel.pci import Function, PciHost
from tests.fakekernel.xe import GIB, XeHost, arc, integrated

PF = "0000:65:00.0"


@dataclass(frozen=True, slots=True)
class Situation:
    """A host, the card and the devices that a claim is to get, and the rules that hold.

    `mac` is the address that each device is to have. `real` is true where a lab node's own kernel is driven in the same
    way by the contract suite or end to end.
    """

    host: Callable[[], FakeHost]
    card: str
    devices: tuple[str, ...]
    rules: RulesOf = careful
    real: bool = False
    mac: str = ""

    def state(self, host: FakeHost) -> object:
        """Everything on the host that carving could change."""
        mediated = sorted(host.mdev.devices) if isinstance(host, MediatedHost) else []
        bus = host.pci.functions.values() if isinstance(host, PciHost) else []
        shares = host.xe.state() if isinstance(host, XeHost) else []
        functions = sorted((f.address, f.driver, f.override, f.autoprobe, len(f.vfs)) for f in bus)
        vgpus = [card.state() for card in host.cards.values()] if isinstance(host, NvidiaHost) else []
        macs = [host.macs(link) for link in sorted(host.networks)]
        return mediated, functions, vgpus, shares, macs


def rules(**given: object) -> RulesOf:
    """A policy that names every card."""
    policy = Rules(policy="test", **given)  # type: ignore[arg-type]

    def of(card: CardId) -> Rules:
        return policy

    return of


def _mediated(card: Callable[[], Card], foreign: str) -> Callable[[], FakeHost]:
    """A host with the card and a device on it that somebody else made."""

    def host() -> FakeHost:
        made = card()
        kernel = MediatedHost(made)
        kernel.mdev.make(made.parents[-1], foreign)
        return kernel

    return host


def amd(**given: object) -> Function:
    """An accelerator that is cut by SR-IOV."""
    vfs = {"total_vfs": 8, "offset": 16, "vf_id": "1002:74b5", "native": "amdgpu", "vf_native": "amdgpu"}
    return Function(PF, **{**vfs, **given})  # type: ignore[arg-type]


def sriov() -> FakeHost:
    """The card, and another one whose functions somebody else has made and uses."""
    other = Function("0000:b3:00.0", native="amdgpu", total_vfs=4, offset=16, vf_native="amdgpu")
    host = PciHost(amd(), other)
    host.write("sys/bus/pci/devices/0000:b3:00.0/sriov_numvfs", "2")
    return host


def network(**given: object) -> FakeHost:
    """The host's own network card, and one with functions that somebody else has made and given an address."""
    igb: dict[str, Any] = {"pci_id": "8086:10c9", "class_code": "020000", "native": "igb", "vf_native": "igbvf"}
    link = Ethernet(**{"name": "eth0", **given})  # type: ignore[arg-type]
    ours = Function(PF, **igb, vf_id="8086:10ca", total_vfs=8, offset=384, stride=2, network=link)
    other = Function("0000:b3:00.0", **igb, total_vfs=4, offset=16, network=Ethernet("eth1"))
    host = PciHost(ours, other)
    host.write("sys/bus/pci/devices/0000:b3:00.0/sriov_numvfs", "2")
    host.set_mac("eth1", 1, "52:54:00:00:00:01")
    return host


def desktop() -> FakeHost:
    """A card with its audio function in one group, beside the one that drives the host's screen."""
    screen = Function("0000:00:02.0", "8086:a780", "030000", native="i915", boot_vga=True)
    card = Function(PF, "10de:2684", "030000", native="nouveau", boot_vga=False)
    audio = Function("0000:65:00.1", "10de:22ba", "040300", native="snd_hda_intel", with_=PF)
    return PciHost(screen, card, audio)


def one_size() -> FakeHost:
    """A card that takes one size at a time, on which somebody else has made a vGPU."""
    host = NvidiaHost()
    host.put(PF, l40s()).make("4Q")
    return host


def mixed_sizes() -> FakeHost:
    """A card that mixes sizes, with a vGPU of somebody else at its beginning."""
    host = NvidiaHost()
    host.put(PF, l4(), mixes=True).make("4C")
    return host


def uncut() -> FakeHost:
    """A card without virtual functions, beside one that somebody else has cut."""
    host = NvidiaHost()
    host.put(PF, l4(), made=False)
    host.put("0000:b3:00.0", l40s()).make("8Q")
    return host


def arcs() -> FakeHost:
    """A card to cut, and one that somebody else has cut by hand and uses."""
    host = XeHost(arc(), arc("0000:b3:00.0"))
    host.write("sys/bus/pci/devices/0000:b3:00.0/sriov_admin/vf2/profile/vram_quota", str(4 * GIB))
    host.write("sys/bus/pci/devices/0000:b3:00.0/sriov_numvfs", "2")
    return host


class MadeByHand(XeHost):
    """A card whose functions the administrator's own unit enables at each boot: the driver gives each an equal part."""

    def __init__(self) -> None:
        super().__init__(arc(fair_time=True))
        self._enable()

    def reboot(self) -> None:
        """The unit runs again."""
        super().reboot()
        self._enable()

    def _enable(self) -> None:
        self.tree.write(f"sys/bus/pci/devices/{PF}/sriov_drivers_autoprobe", "0")
        self.tree.write(f"sys/bus/pci/devices/{PF}/sriov_numvfs", "4")


TIMES = Quota(exec_quantum_ms=20, preempt_timeout_us=40_000, priority="normal")

SITUATIONS = {
    "mdpy": Situation(_mediated(mdpy, "mdpy-xga"), "mdpy", ("xga-0", "hd-0"), real=True),
    "mbochs": Situation(_mediated(mbochs, "mbochs-small"), "mbochs", ("small-0",), real=True),
    "mtty": Situation(_mediated(mtty, "mtty-2"), "mtty", ("1-0", "2-0"), real=True),
    "gvtg": Situation(_mediated(gvtg, "i915-GVTg_V5_8"), "0000:00:02.0", ("gvtg-v5-8-0",)),
    "nvidia": Situation(_mediated(nvidia, "nvidia-702"), PF, ("702-0", "702-1")),
    "sriov": Situation(sriov, PF, ("vf-0", "vf-1"), rules(functions=4), real=True),
    "network": Situation(network, PF, ("vf-0",), rules(functions=2), real=True, mac="52:54:00:12:34:56"),
    "nvidia vfio": Situation(one_size, PF, ("1150-0", "1150-3"), rules(parameters="frame_rate_limiter=0")),
    "nvidia vfio, mixed": Situation(mixed_sizes, PF, ("1030-20", "1031-6"), rules(parameters="k=v")),
    "nvidia vfio, uncut": Situation(uncut, PF, ("1031-6", "1030-0"), rules(functions=1, heterogeneous=True)),
    "whole card": Situation(desktop, PF, ("whole-0",), rules(take_from_host=True), real=True),
    "xe": Situation(
        arcs, PF, ("vf-2048m-0", "vf-4096m-0"), rules(functions=4, quota=replace(TIMES, sizes=(2 * GIB, 4 * GIB)))
    ),
    "xe as it stands": Situation(MadeByHand, PF, ("vf-2048m-0",), rules(quota=TIMES)),
    "xe integrated": Situation(
        lambda: XeHost(integrated(fair_time=True)), "0000:00:02.0", ("vf-0", "vf-1"), rules(functions=7, quota=TIMES)
    ),
}
