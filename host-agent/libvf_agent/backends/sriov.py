"""SR-IOV: cards whose driver makes equal virtual functions through `sriov_numvfs`, or has made a fixed number.

Any physical function with `sriov_totalvfs` will do (AMD's GIM, Intel's before quotas, network and NVMe cards
that a policy names). Functions are made with the first claim and go with the last, in one count, as the kernel
lets a count change only through 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from libvf_api.names import NIC

from libvf_agent import links, pci
from libvf_agent.backends import Order
from libvf_agent.errors import Full, SysfsError
from libvf_agent.inventory import Carving, Function, Gpu, SliceType, Sriov
from libvf_agent.rules import FUNCTION, CardId, Rules, RulesOf
from libvf_agent.steps import Bind, Facts, Mac, Plan, Reads, Step, Undo, Write
from libvf_agent.sysfs import Sysfs


class Kind(TypedDict):
    """What a card's devices are, and its link where it is a network card."""

    kind: str
    link: str | None


class VirtualFunctions:
    """The backend of cards that are cut into equal virtual functions."""

    name = "sriov"

    def discover(self, sysfs: Sysfs, rules: RulesOf) -> tuple[Gpu, ...]:
        """Cards that have virtual functions, or whose policy wants some."""
        found = []
        for function in pci.physical(sysfs):
            of_card = rules(card_id(function))
            sriov = function.sriov
            wanted = sriov and not of_card.excluded and wanted_count(sriov, of_card)
            if not sriov or not wanted or has_its_own_way(sysfs, function):
                continue
            if sriov.count or provisions(sysfs, function):
                found.append(_gpu(sysfs, function, of_card))
        return tuple(found)

    def plan(self, gpu: Gpu, order: Order) -> Plan:
        """The functions, where they are not there yet, and one of them moved to VFIO; Full where none is free."""
        physical = card_function(gpu)
        function = free_function(gpu, order)
        made = making(physical, len(gpu.parents), order.shared)
        steps = (*made, *_address(gpu, order, function), binding(function, pci.VFIO))
        return function_plan(gpu, order, function, steps)


def _address(gpu: Gpu, order: Order, function: Function) -> tuple[Step, ...]:
    """The address that the claim asks for, before anybody can use the function: drivers read it when they begin."""
    if not order.mac:
        return ()
    return (Mac(gpu.name, gpu.parents.index(function.address), order.mac, function.mac),)


def card_id(function: Function) -> CardId:
    """What a policy picks a PCI card by."""
    return CardId(function.address, function.vendor, function.pci_id, function.is_card, function.is_accelerator)


def has_its_own_way(sysfs: Sysfs, physical: Function) -> bool:
    """Whether its functions are cut by mdev, by NVIDIA's own files or by xe's quotas: other backends' cards."""
    folder = f"{pci.DEVICES}/{physical.address}"
    folders = [folder, *(f"{pci.DEVICES}/{address}" for address in pci.virtual(sysfs, physical.address))]
    if physical.vendor == "nvidia" or sysfs.exists(f"{folder}/sriov_admin"):
        return True
    return any(sysfs.exists(f"{one}/mdev_supported_types") for one in folders)


def provisions(sysfs: Sysfs, physical: Function) -> bool:
    """Whether the driver gives new functions their parts.

    Intel's i915 built out of tree stops to do so once somebody has set a quota in its tree `prelim_iov`: what
    is made then has neither memory nor contexts.
    """
    folder = f"{pci.DEVICES}/{physical.address}/drm"
    cards = (name for name in sysfs.names(folder) if name.startswith("card"))
    return all(sysfs.read_or(f"{folder}/{card}/prelim_iov/pf/auto_provisioning", "1") != "0" for card in cards)


def card_function(gpu: Gpu) -> Function:
    """The physical function itself."""
    function = gpu.function(gpu.name)
    if function is None:
        raise Full(f"{gpu.name} is gone from the PCI bus: see the kernel log of this node")
    return function


def free_function(gpu: Gpu, order: Order) -> Function:
    """The first virtual function that neither a claim nor a process nor a driver of the host has."""
    taken = order.held | {carving.id for carving in gpu.carvings if carving.in_use}
    for function in gpu.functions:
        if function.address in gpu.parents and function.address not in taken:
            return function
    raise Full(f"{gpu.name} has no free virtual function of {len(gpu.parents)}: delete a partition on this card")


def making(physical: Function, count: int, shared: frozenset[Step]) -> tuple[Step, ...]:
    """The steps that make the functions; of functions that are there, those that stand in the journal already.

    No driver of the host is to take the new functions, so autoprobe is off while they appear.
    """
    sriov = physical.sriov or Sriov(0)
    folder = f"{pci.DEVICES}/{physical.address}"
    probing, counting = f"{folder}/sriov_drivers_autoprobe", f"{folder}/sriov_numvfs"
    if sriov.count:
        mine = [s for s in shared if isinstance(s, Write) and s.functions == physical.address]
        return tuple(sorted(mine, key=lambda step: step.path == counting))
    off = Write(probing, "0", Reads(probing, "1", "0"), Undo(probing, "1"), functions=physical.address, shared=True)
    evidence = Reads(counting, "0", str(count))
    made = Write(counting, str(count), evidence, Undo(counting, "0"), functions=physical.address, shared=True)
    return (off, made) if sriov.autoprobe else (made,)


def binding(function: Function, driver: str) -> Bind:
    """The function moved to a VFIO driver; one that sits on another one of them already stays there."""
    wanted = function.driver if function.on_vfio else driver
    return Bind(function.address, wanted, function.driver, function.override)


def function_plan(gpu: Gpu, order: Order, function: Function, steps: tuple[Step, ...]) -> Plan:
    """The plan of a device that is a PCI function."""
    facts: Facts = {"pciAddress": function.address}
    if function.bars:
        facts["barBytes"] = sum(function.bars)
    folder = f"{pci.DEVICES}/{function.address}"
    return Plan(function.address, gpu.name, order.kind.id, folder, steps, facts)


def wanted_count(sriov: Sriov, rules: Rules) -> int:
    """How many functions there are, else how many a policy wants, as many as the card can have."""
    return sriov.count or min(rules.functions or 0, sriov.total)


def _gpu(sysfs: Sysfs, physical: Function, rules: Rules) -> Gpu:
    count = wanted_count(physical.sriov or Sriov(0), rules)
    functions = functions_of(sysfs, physical, count)
    if physical.is_network:
        functions = _addressed(sysfs, physical, functions)
    kind = SliceType(
        id=f"{physical.vendor}-vf",
        name="virtual function",
        vram=0 if physical.is_network else next(iter(rules.quota.sizes), 0),
        cost=(("vfs", 1),),
        mode=FUNCTION,
        backend=VirtualFunctions.name,
    )
    carvings = (carving for one in functions if (carving := carving_of(sysfs, one, physical.address, kind.id)))
    return card_of(sysfs, physical, (kind,), functions, tuple(carvings), rules)


def _addressed(sysfs: Sysfs, physical: Function, functions: tuple[Function, ...]) -> tuple[Function, ...]:
    """The functions with their addresses, as far as the card tells them."""
    link = links.of(sysfs, physical.address)
    try:
        macs = sysfs.macs(link) if link else ()
    except SysfsError:
        macs = ()
    return tuple(replace(one, mac=macs[number]) if number < len(macs) else one for number, one in enumerate(functions))


def functions_of(sysfs: Sysfs, physical: Function, count: int) -> tuple[Function, ...]:
    """The virtual functions, those that are not there yet with nothing but their address."""
    there = pci.virtual(sysfs, physical.address)
    if there:
        return tuple(pci.read(sysfs, address) for address in there)
    addresses = (pci.virtual_address(physical, number) for number in range(count))
    return tuple(Function(address, "", physical.pci_id) for address in addresses)


def carving_of(sysfs: Sysfs, function: Function, parent: str, type_id: str) -> Carving | None:
    """A function that somebody works with, or that is ready on VFIO; none for one that is not there or idle."""
    if not function.driver:
        return None
    in_use = not function.on_vfio or bool(pci.openers(sysfs, function.address))
    return Carving(function.address, parent, type_id, function.group, in_use)


def card_of(
    sysfs: Sysfs,
    physical: Function,
    types: tuple[SliceType, ...],
    functions: tuple[Function, ...],
    carvings: tuple[Carving, ...],
    rules: Rules,
) -> Gpu:
    """A card that is cut into virtual functions; one that a policy spares counts as taken by somebody else."""
    folder = f"{pci.DEVICES}/{physical.address}"
    spared = [one for one in functions if one.address in rules.spared]
    kept = tuple(carving for carving in carvings if carving.id not in rules.spared)
    carvings = (*kept, *(Carving(one.address, physical.address, types[0].id, one.group) for one in spared))
    busy = {carving.id for carving in carvings if carving.in_use}
    return Gpu(
        name=physical.address,
        vendor=physical.vendor,
        parents=tuple(one.address for one in functions),
        types=types,
        carvings=carvings,
        numa_node=pci.numa_node(sysfs, folder),
        pcie_root=pci.pcie_root(sysfs, folder),
        pci_address=physical.address,
        pci_id=physical.pci_id,
        totals=(("vfs", len(functions)),),
        available={c.address: {k.id: 1 for k in types} for c in functions if c.address not in busy},
        functions=(physical, *functions),
        rules=rules,
        **kind_of(sysfs, physical),
    )


def kind_of(sysfs: Sysfs, card: Function) -> Kind:
    """As what the card is offered."""
    if not card.is_network:
        return {"kind": "gpu", "link": None}
    return {"kind": NIC, "link": links.of(sysfs, card.address)}
