"""Whole cards: a physical function and all that shares its slot and its IOMMU group, moved to VFIO."""

from __future__ import annotations

from libvf_api.taints import TaintKey

from libvf_agent import pci
from libvf_agent.backends import Order
from libvf_agent.backends.sriov import binding, card_function, card_id, kind_of
from libvf_agent.inventory import Carving, Function, Gpu, SliceType, Taint
from libvf_agent.rules import PASSTHROUGH, Rules, RulesOf
from libvf_agent.steps import Facts, Plan
from libvf_agent.sysfs import Sysfs


class Passthrough:
    """The backend of whole cards."""

    name = "passthrough"

    def discover(self, sysfs: Sysfs, rules: RulesOf) -> tuple[Gpu, ...]:
        """Cards that may be handed out whole: prepared by hand, or taken from the host by a policy's word."""
        functions = pci.physical(sysfs)
        cards = [one for one in functions if not one.is_bridge]
        found = []
        for card in cards:
            of_card = rules(card_id(card))
            together = companions(sysfs, card)
            if not of_card.excluded and not refusal(card, together, _displays(functions), of_card):
                found.append(_gpu(sysfs, card, together, of_card))
        return tuple(found)

    def plan(self, gpu: Gpu, order: Order) -> Plan:
        """Every function of the card moved to VFIO, the card's own last."""
        card = card_function(gpu)
        moved = [one for one in gpu.functions if one.driver and one.address != card.address] + [card]
        steps = tuple(binding(one, pci.VFIO) for one in moved)
        facts: Facts = {
            "pciAddress": card.address,
            "pciFunctions": " ".join(sorted(one.address for one in moved)),
            "barBytes": sum(size for one in moved for size in one.bars),
        }
        return Plan(card.address, gpu.name, order.kind.id, f"{pci.DEVICES}/{card.address}", steps, facts)


def why_not_whole(sysfs: Sysfs, address: str, rules: RulesOf) -> str:
    """Why the card of that address is not handed out whole, with the cure; empty where it is."""
    card = pci.read(sysfs, address)
    return refusal(card, companions(sysfs, card), _displays(pci.physical(sysfs)), rules(card_id(card)))


def _displays(functions: list[Function]) -> list[Function]:
    return [one for one in functions if one.class_code.startswith("03")]


def companions(sysfs: Sysfs, card: Function) -> tuple[Function, ...]:
    """The functions that go with a card: of its slot (audio, USB) and of its IOMMU group, itself first."""
    slot = pci.siblings(sysfs, card.address)
    groups = {one.group for one in slot if one.group is not None}
    members = [one for group in sorted(groups) for one in pci.group_members(sysfs, group)]
    known = {one.address for one in slot}
    return (*slot, *(one for one in members if one.address not in known))


def refusal(card: Function, together: tuple[Function, ...], displays: list[Function], rules: Rules) -> str:
    """Why a card is not handed out whole, with the cure; empty where it is."""
    spared = ", ".join(one.address for one in together if one.address in rules.spared)
    if spared:
        return f"spec.exclude of a GpuPolicy names {spared}, which would go with it: leave it out there"
    if card.group is None:
        return "no IOMMU group: turn the IOMMU on (libvf-agent prepare)"
    if card.sriov and card.sriov.count:
        return f"{card.sriov.count} virtual functions exist: it is cut, and whole only without them"
    if card.boot_vga and not rules.take_host_display and not card.on_vfio:
        others = [one for one in displays if one.address != card.address and one.driver and not one.on_vfio]
        if not others or card.driver:
            return "it drives the host's screen: spec.hostDisplay: Take of a GpuPolicy gives it away all the same"
    slot = card.address.rpartition(".")[0]
    strangers = [o for o in together if o.address.rpartition(".")[0] != slot and not o.is_idle]
    if strangers:
        names = ", ".join(f"{one.address} ({one.driver})" for one in strangers)
        return f"its IOMMU group {card.group} also holds {names}: move the card to another slot, or unbind them"
    if not card.is_idle and not rules.take_from_host:
        return f"{card.driver} has it: spec.takeFromHost of a GpuPolicy takes it from the host"
    return ""


def _gpu(sysfs: Sysfs, card: Function, together: tuple[Function, ...], rules: Rules) -> Gpu:
    folder = f"{pci.DEVICES}/{card.address}"
    holders = [opener for one in together for opener in pci.openers(sysfs, one.address)]
    kind = SliceType(
        id=f"{card.vendor}-whole",
        name="whole card",
        vram=_vram(sysfs, folder, rules),
        available=0 if holders else 1,
        mode=PASSTHROUGH,
        backend=Passthrough.name,
        whole=True,
        taints=_taints(card, rules),
    )
    carving = Carving(card.address, card.address, kind.id, card.group, bool(holders))
    return Gpu(
        name=card.address,
        vendor=card.vendor,
        parents=(card.address,),
        types=(kind,),
        carvings=(carving,) if holders or card.on_vfio else (),
        numa_node=pci.numa_node(sysfs, folder),
        pcie_root=pci.pcie_root(sysfs, folder),
        pci_address=card.address,
        pci_id=card.pci_id,
        functions=together,
        rules=rules,
        **kind_of(sysfs, card),
    )


def _vram(sysfs: Sysfs, folder: str, rules: Rules) -> int:
    """The administrator's word, else amdgpu's while it has the card."""
    return rules.vram or pci.number(sysfs.read_or(f"{folder}/mem_info_vram_total", "0"))


def _taints(card: Function, rules: Rules) -> tuple[Taint, ...]:
    """One that cannot be reset would show a guest what the guest before it left."""
    if card.reset_methods or rules.reuse_without_reset:
        return ()
    told = f"{card.address} has no reset_method: reuseWithoutReset of a GpuPolicy allows it all the same"
    return (Taint(TaintKey.NO_RESET, told),)
