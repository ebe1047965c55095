"""Intel xe: functions whose shares the physical function's tree `sriov_admin` sets (Linux 6.19), and their video
memory too (7.0, discrete cards).

The order of steps is the driver's. When functions are enabled and none of them has a quota, all get equal parts;
one quota is enough to keep that off, and the others stay at 0. So the first claim's quota is written before
`sriov_numvfs`, and every later one while the functions are there. The rest of a function's parts (addresses,
contexts, doorbells) is always given by the driver. Disabling the functions releases everything.

Sources: Documentation/ABI/testing/sysfs-driver-intel-xe-sriov; drivers/gpu/drm/xe/xe_sriov_pf_sysfs.c,
xe_sriov_pf_provision.c and xe_gt_sriov_pf_config.c.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace

from libvf_api.taints import TaintKey

from libvf_agent import pci
from libvf_agent.backends import Order
from libvf_agent.backends.sriov import (
    binding,
    card_function,
    card_id,
    card_of,
    carving_of,
    free_function,
    function_plan,
    functions_of,
    making,
    wanted_count,
)
from libvf_agent.backends.xe_layout import BACKEND, Layout, Memory, Share, layout_of, taints_of
from libvf_agent.errors import Absent, SysfsError
from libvf_agent.inventory import MIB, Carving, Function, Gpu, SliceType, Sriov, Taint
from libvf_agent.rules import Quota, Rules, RulesOf
from libvf_agent.steps import Leads, Plan, Reads, Step, Undo, Write
from libvf_agent.sysfs import Sysfs

DRIVER, VFIO = "xe", "xe-vfio-pci"
DEBUG = "sys/kernel/debug/dri"

_GRAIN = 2 * MIB  # of each tile: xe_lmtt_page_size
_SPARE = 128 * MIB  # of each tile: what the driver keeps when it shares out itself, pf_get_min_spare_lmem


@dataclass(frozen=True, slots=True)
class XeGpu(Gpu):
    """A card with what its driver says of each function, in the order of `parents`; `vfio` is the driver for them."""

    shares: tuple[Share, ...] = ()
    layout: Layout = field(default_factory=Layout)
    vfio: str = pci.VFIO


class Xe:
    """The backend of cards that xe has with its SR-IOV tree; remembers how much memory each card's driver manages."""

    name = BACKEND

    def __init__(self) -> None:
        self._managed: dict[tuple[str, str], int] = {}

    def discover(self, sysfs: Sysfs, rules: RulesOf) -> tuple[Gpu, ...]:
        """Cards that have virtual functions, or whose policy wants some."""
        found = []
        for physical in pci.physical(sysfs):
            of_card = rules(card_id(physical))
            if of_card.excluded or physical.driver != DRIVER or not sysfs.exists(_admin(physical)):
                continue
            if physical.sriov and wanted_count(physical.sriov, of_card):
                found.append(_gpu(sysfs, physical, physical.sriov, of_card, self._managed_by(sysfs, physical)))
        return tuple(found)

    def _managed_by(self, sysfs: Sysfs, physical: Function) -> int:
        """Read once, as that wakes a card that sleeps; 0 where debugfs is not there."""
        card = (physical.address, physical.pci_id)
        self._managed[card] = self._managed.get(card) or _managed(sysfs, physical)
        return self._managed[card]

    def plan(self, gpu: Gpu, order: Order) -> Plan:
        """The function's quota, the functions where they are not there yet, its shares of time, and VFIO."""
        assert isinstance(gpu, XeGpu)
        physical = card_function(gpu)
        function = free_function(gpu, replace(order, held=order.held | _of_another_size(gpu, order.kind)))
        number = gpu.parents.index(function.address)
        share = gpu.shares[number]
        made = making(physical, len(gpu.parents), order.shared)
        steps = (
            *made[:-1],
            *_memory_step(order.kind, share, function),
            *made[-1:],
            *_priority_step(physical, gpu.rules.quota, gpu.shares[0], order.shared),
            *_time_steps(physical, gpu.rules.quota, share, number, function),
            binding(function, gpu.vfio),
        )
        return function_plan(gpu, order, function, steps)


# steps


def _of_another_size(gpu: XeGpu, kind: SliceType) -> frozenset[str]:
    """Functions that stay as they are, and are not what is asked for; one that is cut can become any size."""
    if gpu.layout.cut:
        return frozenset()
    sizes = zip(gpu.parents, gpu.shares, strict=True)
    return frozenset(address for address, share in sizes if gpu.layout.type_of(share) != kind.id)


def _memory_step(kind: SliceType, share: Share, function: Function) -> tuple[Step, ...]:
    """The quota of memory, of which the driver may make a little more; 0 gives it back."""
    if "vram" not in dict(kind.cost):
        return ()
    path, device = f"{share.folder}/profile/vram_quota", f"{pci.DEVICES}/{function.address}"
    return (Write(path, str(kind.vram), Reads(path, "0", None), Undo(path, "0"), device=device),)


def _priority_step(physical: Function, quota: Quota, first: Share, shared: frozenset[Step]) -> tuple[Step, ...]:
    """The scheduling priority: a function's own file is read only, as the firmware changes it for a whole card.

    So the first claim sets it and the last one sets it back; the physical function is under it as well.
    """
    path = f"{_admin(physical)}/.bulk_profile/sched_priority"
    mine = next((step for step in shared if isinstance(step, Write) and step.path == path), None)
    if mine or quota.priority is None:
        return (mine,) if mine else ()
    virtual = f"{pci.DEVICES}/{physical.address}/virtfn0"
    undo = Undo(path, _current(first.priority) or "low")
    return (Write(path, quota.priority, Leads(virtual, virtual, virtual), undo, shared=True),)


def _time_steps(physical: Function, quota: Quota, share: Share, number: int, function: Function) -> tuple[Step, ...]:
    """The quantum and the timeout; that the function is there is their evidence.

    Their values are none: newer drivers set both when they enable functions (16 ms), so before that nobody knows
    what will be there; and a change by hand while a guest runs is no reason to take its device away.
    """
    device, profile = f"{pci.DEVICES}/{function.address}", f"{share.folder}/profile"
    evidence = Leads(device, f"{pci.DEVICES}/{physical.address}/virtfn{number}", device)
    wanted = (
        (f"{profile}/exec_quantum_ms", quota.exec_quantum_ms, share.quantum),
        (f"{profile}/preempt_timeout_us", quota.preempt_timeout_us, share.timeout),
    )
    return tuple(
        Write(path, str(value), evidence, Undo(path, before or "0"), device=device)
        for path, value, before in wanted
        if value is not None
    )


# what is there


def _gpu(sysfs: Sysfs, physical: Function, sriov: Sriov, rules: Rules, managed: int) -> XeGpu:
    functions = functions_of(sysfs, physical, wanted_count(sriov, rules))[: sriov.total]
    troubles: list[str] = []
    shares = [_share(sysfs, f"{_admin(physical)}/vf{n}", troubles) for n in range(1, sriov.total + 1)]
    here = tuple(shares[: len(functions)])
    elsewhere = sum(share.vram for share in shares[len(functions) :])
    memory = _memory(sysfs, physical, rules, managed)
    layout = layout_of(replace(memory, usable=max(0, memory.usable - elsewhere)), here, sriov, rules)
    taints = taints_of(memory, here, functions, layout, rules)
    kinds = tuple(kind if kind.closed else replace(kind, taints=taints) for kind in layout.kinds)
    carvings = (_carving(sysfs, physical, f, s, layout) for f, s in zip(functions, here, strict=True))
    card = card_of(sysfs, physical, kinds, functions, tuple(c for c in carvings if c), rules)
    told = {one.name: getattr(card, one.name) for one in fields(card)}
    told["totals"], told["available"] = layout.totals, _available(card, here, layout)
    told["taints"] = tuple(
        Taint(TaintKey.SICK, f"{text}; then unbind and bind {physical.address}") for text in troubles[:1]
    )
    vfio = VFIO if sysfs.exists(f"{pci.DRIVERS}/{VFIO}") else pci.VFIO
    return XeGpu(**told, shares=here, layout=layout, vfio=vfio)


def _admin(physical: Function) -> str:
    return f"{pci.DEVICES}/{physical.address}/sriov_admin"


def _share(sysfs: Sysfs, folder: str, troubles: list[str]) -> Share:
    """What can be read; what cannot is a trouble: EUCLEAN where the card's tiles do not agree."""

    def text(name: str) -> str | None:
        try:
            return sysfs.read(f"{folder}/profile/{name}")
        except Absent:
            return ""
        except SysfsError as error:
            troubles.append(str(error))
            return None

    vram = text("vram_quota")
    rest = (text(name) or "" for name in ("exec_quantum_ms", "preempt_timeout_us", "sched_priority"))
    return Share(folder, pci.number(vram or "0"), vram is not None, *rest)


def _managed(sysfs: Sysfs, physical: Function) -> int:
    """What the driver's memory manager has, of all tiles: the only place where mainline xe tells it."""
    paths = (f"{DEBUG}/{physical.address}/{tile}/vram_mm" for tile in _tiles(sysfs, physical))
    found = (re.search(r"^\s*size: ([0-9]{1,19})$", sysfs.read_or(path, ""), re.MULTILINE) for path in paths)
    return sum(int(one[1]) for one in found if one)


def _memory(sysfs: Sysfs, physical: Function, rules: Rules, managed: int) -> Memory:
    """From the memory manager; else the administrator's word, or a file that some of Intel's own trees have.

    The whole of a card also holds what nobody can use (compression data, stolen memory): a 64th at most.
    """
    tiles = _tiles(sysfs, physical)
    paths = (f"{pci.DEVICES}/{physical.address}/{tile}/physical_vram_size_bytes" for tile in tiles)
    whole = rules.vram or sum(pci.number(sysfs.read_or(path, "0")) for path in paths)
    usable = (managed or whole - whole // 64) - rules.reserved_vram - _SPARE * len(tiles)
    settable = sysfs.exists(f"{_admin(physical)}/.bulk_profile/vram_quota")  # not where quotas are read only
    return Memory(max(0, usable), _GRAIN * len(tiles), settable)


def _tiles(sysfs: Sysfs, physical: Function) -> list[str]:
    names = sysfs.names(f"{pci.DEVICES}/{physical.address}")
    return [name for name in names if re.fullmatch(r"tile[0-9]{1,2}", name)] or ["tile0"]


def _carving(sysfs: Sysfs, physical: Function, function: Function, share: Share, layout: Layout) -> Carving | None:
    """A function in use; where the card is cut, also one that has memory, which only its owner gives back."""
    kind = layout.type_of(share)
    if layout.cut and (share.vram or not share.told):
        return Carving(function.address, physical.address, kind, function.group)
    return carving_of(sysfs, function, physical.address, kind)


def _available(card: Gpu, shares: tuple[Share, ...], layout: Layout) -> dict[str, dict[str, int]]:
    """What each free function can become; all of them together no more than the memory that is left."""
    busy = {carving.id for carving in card.carvings if carving.in_use}
    free = [(a, share) for a, share in zip(card.parents, shares, strict=True) if a not in busy]
    kinds = [kind for kind in layout.kinds if not kind.closed]
    left = dict(layout.totals).get("vram", 0) - sum(share.vram for share in shares)
    if layout.cut:
        return {a: {k.id: 1 for k in kinds if rank < left // k.vram} for rank, (a, _) in enumerate(free)}
    return {a: {k.id: 1 for k in kinds if k.id == layout.type_of(share)} for a, share in free}


def _current(choices: str) -> str:
    """ "low" of "[low] normal"."""
    found = re.search(r"\[(\w+)\]", choices)
    return found[1] if found else ""
