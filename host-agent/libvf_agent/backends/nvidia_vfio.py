"""NVIDIA's own VFIO (driver 17 and later on new kernels): a virtual function is made a vGPU by writing its type.

Sources: sysfs-abi.md; Virtual GPU Software User Guide, "vendor-specific VFIO framework"; NVIDIA's
vgpu-device-manager and open-gpu-kernel-modules (kernel_vgpu_mgr.c). Nothing of it outlives a reboot or a reload
of the driver. The function stays with the driver `nvidia`, which is its VFIO driver too.

MIG-backed types are not offered: how many a card takes is decided by the instances it was cut into.
"""

from __future__ import annotations

from libvf_agent import nvidia_card, nvidia_types, pci, vfio
from libvf_agent.backends import Order
from libvf_agent.backends.mediated import BUS as MEDIATED
from libvf_agent.backends.sriov import card_function, card_id, function_plan, functions_of
from libvf_agent.errors import Full
from libvf_agent.inventory import Carving, Function, Gpu, Sriov
from libvf_agent.nvidia_card import Known, Vf, number_of, type_id
from libvf_agent.nvidia_smi import TOOL, Told, Tool
from libvf_agent.rules import Rules, RulesOf
from libvf_agent.steps import Plan, Reads, Run, Step, Undo, Write
from libvf_agent.sysfs import Sysfs

SRIOV_MANAGE = "/usr/lib/nvidia/sriov-manage"


class NvidiaVfio:
    """The backend of cards whose virtual functions have a folder `nvidia`; remembers the types it has seen.

    The driver lists only what can be made now, so a full type is in no list. nvidia-smi tells all of them; where
    it is missing, as with a driver in a container, the lists are remembered from when the card was empty.
    """

    name = nvidia_card.BACKEND

    def __init__(self, tool: Tool | None = None) -> None:
        self._tool = tool or Tool()
        self._seen: dict[str, Known] = {}

    def discover(self, sysfs: Sysfs, rules: RulesOf) -> tuple[Gpu, ...]:
        """Cards whose functions are there, or are to be made by a policy's word."""
        cards = [one for one in pci.physical(sysfs) if one.vendor == "nvidia" and one.sriov]
        found = (self._card(sysfs, one, rules(card_id(one))) for one in cards)
        return tuple(card for card in found if card and card.types)

    def plan(self, gpu: Gpu, order: Order) -> Plan:
        """The functions, where they are not there yet, and one of them made a vGPU; Full where none takes the type."""
        physical = card_function(gpu)
        function = _free(gpu, order)
        steps = (*_making(physical, gpu, order.shared), *_vgpu(function.address, order, gpu.rules.parameters))
        return function_plan(gpu, order, function, steps)

    def _card(self, sysfs: Sysfs, physical: Function, rules: Rules) -> Gpu | None:
        if rules.excluded:
            return None
        vfs = _functions(sysfs, physical)
        if not vfs and not _to_be_made(sysfs, physical, rules):
            return None
        told = self._tool.of(sysfs, physical.address, len(vfs), any(vf.type for vf in vfs))
        known = self._known(physical.address, vfs, told)
        mixes = _mixes(known, vfs, told, rules)
        return _gpu(sysfs, physical, vfs or _planned(physical, known), known, mixes, rules)

    def _known(self, card: str, vfs: tuple[Vf, ...], told: Told | None) -> Known:
        listed = {kind.id: kind for vf in vfs for kind in vf.creatable}
        if told:
            return Known({} if told.said.mig else {**listed, **{kind.id: kind for kind in told.types}}, True)
        before = self._seen.get(card, Known({}, False))
        if listed and not any(vf.type for vf in vfs):
            self._seen[card] = Known(listed, True)
        else:
            self._seen[card] = Known({**before.types, **listed}, before.whole)
        return self._seen[card]


# what the driver shows


def _functions(sysfs: Sysfs, physical: Function) -> tuple[Vf, ...]:
    """The functions with a folder `nvidia`; one that is open without being a vGPU takes nothing."""
    read = [_read(sysfs, address) for address in pci.virtual(sysfs, physical.address)]
    vfs = [vf for vf in read if vf]
    opened = _opened(sysfs, [vf.address for vf in vfs if vf.type == 0])
    return tuple(Vf(vf.address, vf.type) if vf.address in opened else vf for vf in vfs)


def _read(sysfs: Sysfs, address: str) -> Vf | None:
    folder = f"{pci.DEVICES}/{address}/nvidia"
    if not sysfs.exists(f"{folder}/current_vgpu_type"):
        return None
    number = nvidia_types.current(sysfs.read_or(f"{folder}/current_vgpu_type", ""))
    return Vf(
        address,
        number,
        nvidia_types.creatable(sysfs.read_or(f"{folder}/creatable_vgpu_types", "")) if number == 0 else (),
        nvidia_types.current(sysfs.read_or(f"{folder}/placement_id", "")) if number else None,
        vfio.group(sysfs, f"{pci.DEVICES}/{address}"),
    )


def _opened(sysfs: Sysfs, addresses: list[str]) -> set[str]:
    """Those that a process has open; one look at all processes as a rule, as mostly none is."""
    nodes = [node for address in addresses for node in pci.nodes(sysfs, address)]
    return {a for a in addresses if pci.openers(sysfs, a)} if sysfs.openers(*nodes) else set()


def _to_be_made(sysfs: Sysfs, physical: Function, rules: Rules) -> bool:
    """Whether a policy wants functions, which only then show how they are cut: with mdev loaded, by mdev perhaps."""
    wanted = bool(rules.functions) and physical.driver == "nvidia"
    return wanted and not pci.virtual(sysfs, physical.address) and not sysfs.exists(MEDIATED)


def _planned(physical: Function, known: Known) -> tuple[Vf, ...]:
    """All the functions that sriov-manage will make, each of which takes every type."""
    total = (physical.sriov or Sriov(0)).total
    return tuple(Vf(pci.virtual_address(physical, n), 0, tuple(known.types.values())) for n in range(total))


def _mixes(known: Known, vfs: tuple[Vf, ...], told: Told | None, rules: Rules) -> bool:
    """Whether the card mixes sizes, by what it says; a policy's word counts where it is to be made or says nothing."""
    if not vfs:
        return bool(rules.heterogeneous) and told is not None and told.said.can_mix
    if nvidia_card.shows_mixing(known, vfs):
        return True
    return bool(told.said.mixes) if told else bool(rules.heterogeneous)


def _gpu(sysfs: Sysfs, physical: Function, vfs: tuple[Vf, ...], known: Known, mixes: bool, rules: Rules) -> Gpu:
    folder = f"{pci.DEVICES}/{physical.address}"
    types, slots, totals = nvidia_card.mixed(known, vfs) if mixes else (nvidia_card.equal(known, vfs), 0, ())
    return Gpu(
        name=physical.address,
        vendor=physical.vendor,
        parents=tuple(vf.address for vf in vfs),
        types=types,
        carvings=tuple(_carving(vf, physical.address, mixes) for vf in vfs if vf.type),
        homogeneous=not mixes,
        numa_node=pci.numa_node(sysfs, folder),
        pcie_root=pci.pcie_root(sysfs, folder),
        pci_address=physical.address,
        pci_id=physical.pci_id,
        available={vf.address: {type_id(kind.id): 1 for kind in vf.creatable} for vf in vfs},
        totals=totals,
        slots=slots,
        functions=(physical, *functions_of(sysfs, physical, len(vfs))),
        rules=rules,
    )


def _carving(vf: Vf, parent: str, mixes: bool) -> Carving:
    """A place is told of a card of one size too, where it means nothing."""
    return Carving(vf.address, parent, type_id(vf.type or 0), vf.group, True, vf.place if mixes else None)


# how it is made


def _free(gpu: Gpu, order: Order) -> Function:
    """The first function that takes the type and that no claim has."""
    for function in gpu.functions:
        room = gpu.available.get(function.address, {}).get(order.kind.id, 0)
        if room > 0 and function.address not in order.held:
            return function
    used = sum(1 for carving in gpu.carvings if carving.type == order.kind.id)
    raise Full(
        f"{gpu.name} has no function that takes {order.kind.id} ({used} in use, {len(gpu.carvings)} vGPUs in all): "
        "delete a partition or a vGPU made by hand, or ask for another size"
    )


def _making(physical: Function, gpu: Gpu, shared: frozenset[Step]) -> tuple[Step, ...]:
    """NVIDIA's script makes all functions or none; of those that are there, the step that stands in the journal.

    Raw writes of sriov_numvfs are refused, as the driver has no callback for them. The script takes the card from
    the driver for a moment, which switches mixing off: it is switched on after it, before the first vGPU.
    """
    if physical.sriov and physical.sriov.count:
        return tuple(s for s in shared if isinstance(s, Run) and s.functions == physical.address)
    mixing = () if gpu.homogeneous else ((TOOL, "vgpu", "-i", physical.address, "-shm", "1"),)
    evidence = Reads(f"{pci.DEVICES}/{physical.address}/sriov_numvfs", "0", None)
    make, undo = (SRIOV_MANAGE, "-e", physical.address), (SRIOV_MANAGE, "-d", physical.address)
    return (Run(make, evidence, undo, mixing, "unbindLock", functions=physical.address, shared=True),)


def _vgpu(address: str, order: Order, parameters: str) -> tuple[Step, ...]:
    """The vGPU, its place where sizes mix, and its parameters: after it is made and before it is first opened.

    The driver lays it at the first free place and moves it to the one that is written; it goes as a whole.
    """
    folder = f"{pci.DEVICES}/{address}"
    path, number = f"{folder}/nvidia/current_vgpu_type", number_of(order.kind)
    evidence, undo = Reads(path, "0", number), Undo(path, "0")
    steps = [Write(path, number, evidence, undo, device=folder)]
    if order.place is not None:
        at = f"{folder}/nvidia/placement_id"
        steps.append(Write(at, str(order.place), evidence, undo, device=folder, shapes=True))
    if parameters:
        at = f"{folder}/nvidia/vgpu_params"
        steps.append(Write(at, parameters, evidence, Undo(at, " "), device=folder, shapes=True))
    return tuple(steps)
