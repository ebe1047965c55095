"""One host's carving: from a claim to devices and back, and what is offered meanwhile.

Synchronous; the driver calls it on worker threads, one call at a time: kernel writes are quick, and two
claims that plan at once would both see the last free instance.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from libvf_api.names import FLOATING, NIC, VIRTUAL_GPU
from libvf_api.residence import Residence

from libvf_agent import (
    cdi,
    cell,
    cpu_manager,
    last_policies,
    links,
    metadata,
    numa,
    pci,
    reports,
    residence,
    usb,
    vfio,
    vsock,
)
from libvf_agent import tap as taps
from libvf_agent.backends import Backend
from libvf_agent.backends.passthrough import why_not_whole
from libvf_agent.cards import Card, Part, cards_of
from libvf_agent.carve import Carver
from libvf_agent.cdi import HOOK
from libvf_agent.claim_status import entry_of
from libvf_agent.claims import Claim, Result
from libvf_agent.doors import Doors
from libvf_agent.errors import AgentError, ClaimError
from libvf_agent.holding import Held, as_before, held, in_force
from libvf_agent.inventory import Carving
from libvf_agent.journal import Entry, Journal, Phase, Slice
from libvf_agent.last_policies import Kept
from libvf_agent.offers import offers_of
from libvf_agent.planning import configured, planned
from libvf_agent.policy_status import Look, Seen
from libvf_agent.rules import CardId, Rules, RulesOf, careful
from libvf_agent.slices import Json, Node, pool_name, pool_of_gpu, pool_of_kvm, pool_of_shared, with_lost
from libvf_agent.steps import Facts, Plan
from libvf_agent.sysfs import Sysfs


@dataclass(frozen=True, slots=True)
class Places:
    """Where a host's files of ours are."""

    state: Path
    cdi: Path
    metadata: Path
    hook: str = HOOK

    @property
    def reports(self) -> Path:
        """Beside the metadata, as both go with the boot."""
        return self.metadata.parent / "reports"


class Host:
    """The parts of a host together."""

    def __init__(
        self, node: str, doors: Doors, backends: tuple[Backend, ...], places: Places, rules: RulesOf = careful
    ) -> None:
        self.node = node
        self.journal = Journal(places.state / "journal")
        self.carver = Carver(doors.sysfs, self.journal)
        self._doors = doors
        self._sysfs = doors.sysfs
        self._backends = backends
        self._places = places
        self.rules = rules
        self._one = threading.RLock()

    @property
    def reports(self) -> Path:
        """Where launchers tell what their guests say."""
        return self._places.reports

    def recover(self) -> list[AgentError]:
        """After a start: takes the journal and mends what a killed agent left."""
        with self._one:
            self.journal.lock()
            return self.carver.recover()

    def prepare(self, claim: Claim, results: tuple[Result, ...]) -> Entry:
        """Carves the allocation and puts metadata and CDI files in place; the same again changes nothing."""
        with self._one:
            wanted = configured(entry_of(claim, results), claim)
            wanted = msgspec.structs.replace(wanted, boot_id=self.carver.boot_id())
            known = self.journal.get(wanted.uid)
            done = self._with_facts(self.carver.ensure(wanted, lambda entry: self._planned(entry, known)))
            if any(usb.NODE in piece.facts for piece in done.slices):
                self.journal.put(done)
            if any(map(cdi.is_kvm, done.slices)):
                reports.make(self._places.reports, done.uid)
            report = reports.folder(self._places.reports, done.uid)
            cdi.write(self._places.cdi, done, metadata.write(self._places.metadata, done), report, self._places.hook)
            return done

    def unprepare(self, uid: str) -> None:
        """Gives everything of the claim back; nothing to do for a claim we never saw."""
        with self._one:
            entry = self.journal.get(uid)
            if entry:
                self.carver.undo(entry)
            cdi.remove(self._places.cdi, uid)
            metadata.remove(self._places.metadata, uid)
            reports.remove(self._places.reports, uid)

    def look(self, node: Node) -> tuple[list[Json], Look]:
        """The slice specs of all cards and of kvm, and the host as it was seen for that."""
        with self._one:
            entries, sysfs = self._entries(), self._sysfs.snapshot()
            on_cards, asked = held(entries, self.carver.boot_id()), dict[str, CardId]()
            cards = self._cards(sysfs, on_cards, asked)
            pools = [pool_of_gpu(node, offers_of(card.gpu, _ours(entries))) for card in cards]
            on_bus = usb.pool(node, self._usb(sysfs), entries)
            cells = cell.pool(node, numa.read(sysfs, self._doors.reserve), entries, self._no_cells(sysfs))
            given = [pool_of_kvm(node, self._doors.accelerated()), *self._given_away(node, entries), on_bus, cells]
            specs = [spec for pool in [*pools, *given] for spec in pool]
            by_name = {card.gpu.name: card for card in cards}
            seen = tuple(Seen(i, by_name.get(n), on_cards.get(pool_name(self.node, n))) for n, i in asked.items())
            look = Look(self.node, seen, partial(_holders, sysfs), partial(_refusal, sysfs, self.rules))
            return with_lost(specs, self.node, self._lost_by_pool()), look

    def _given_away(self, node: Node, entries: list[Entry]) -> list[list[Json]]:
        """Taps and vsocks, also where somebody has one: an allocated device is never withdrawn."""
        held = {piece.pool for entry in entries for piece in entry.slices}
        offered = {"tap": self._doors.tap() is not None, vsock.KIND: self._doors.vsocks.offered()}
        given = (kind for kind in offered if offered[kind] or pool_name(self.node, kind) in held)
        return [pool_of_shared(node, kind) for kind in given]

    def lost(self) -> list[tuple[Entry, Slice]]:
        """Devices that were carved in this boot and are not there any more."""
        boot = self.carver.boot_id()
        entries = [e for e in self._entries() if e.phase is Phase.COMPLETED and e.boot_id == boot]
        return [(e, s) for e in entries for s in e.slices if s.plan and not all(map(self.carver.done, s.plan.steps))]

    def pulled_out(self) -> dict[str, str]:
        """USB devices that their containers have no more, and what became of each."""
        return usb.pulled_out(self._usb(self._sysfs.snapshot()), self._entries())

    def with_cells(self) -> list[Entry]:
        """The claims that have CPUs of a NUMA node."""
        entries = (entry for entry in self._entries() if entry.phase is Phase.COMPLETED)
        return [entry for entry in entries if any(map(cell.is_cell, entry.slices))]

    def qemus(self) -> dict[int, str]:
        """Every QEMU, and the cgroup it is in."""
        return residence.qemus(self._sysfs)

    def touched(self, pid: int) -> int | None:
        """KiB of memory that a QEMU has touched; None where it runs no more."""
        return residence.touched(self._sysfs, pid)

    def residence(self, pid: int) -> Residence:
        """Where a QEMU is."""
        return residence.read(self._sysfs, pid)

    def _usb(self, sysfs: Sysfs) -> dict[str, usb.UsbDevice]:
        return usb.read(sysfs, self._doors.usb_ids)

    def _no_cells(self, sysfs: Sysfs) -> str:
        return str(cpu_manager.refusal(lambda path: sysfs.read_or(path, ""), self._doors.kubelet) or "")

    def keep(self, policies: Kept) -> None:
        """Policies that hold from now on, for who looks at this host by itself."""
        last_policies.write(self._places.state, policies)

    def carved(self) -> int:
        """How many devices of ours exist by the journal."""
        entries = [entry for entry in self._entries() if entry.phase is Phase.COMPLETED]
        return sum(1 for entry in entries for piece in entry.slices if piece.plan)

    def _entries(self) -> list[Entry]:
        return self.journal.readable()[0]

    def _cards(self, sysfs: Sysfs, on_cards: Mapping[str, Held], asked: dict[str, CardId]) -> tuple[Card, ...]:
        """All cards, each with the ways in which it can be cut under the rules that hold on it.

        `on_cards` is what of ours is on them, by pool; `asked` is filled with every card that rules were asked for.
        """

        def rules(card: CardId) -> Rules:
            asked[card.name] = card
            return in_force(self.rules(card), on_cards.get(pool_name(self.node, card.name)))

        return cards_of(Part(b, gpu) for b in self._backends for gpu in b.discover(sysfs, rules))

    def _lost_by_pool(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for _, piece in self.lost():
            found[piece.pool] = (*found.get(piece.pool, ()), piece.device)
        return found

    def _planned(self, wanted: Entry, known: Entry | None) -> Entry:
        """The plans, under the rules that the claim's devices were made under where it had some.

        `known` was just taken out of the journal, to be made anew.
        """
        entries = self._entries()
        gone = [msgspec.structs.replace(known, boot_id="")] if known else []
        on_cards = held([*entries, *gone], self.carver.boot_id())
        sysfs = self._sysfs.snapshot()
        cards = self._cards(sysfs, on_cards, {})
        done = planned(self.node, cards, as_before(wanted, known), frozenset(_ours(entries)), self.carver.shared())
        nodes = numa.read(sysfs, self._doors.reserve)
        return cell.allotted(vsock.allotted(done, entries, self._doors.vsocks), entries, nodes, self._no_cells(sysfs))

    def _with_facts(self, entry: Entry) -> Entry:
        """The entry with all that is told of its devices; groups are numbered anew at each boot."""
        slices = tuple(msgspec.structs.replace(s, facts=self._facts(s)) for s in entry.slices)
        return msgspec.structs.replace(entry, slices=slices)

    def _facts(self, piece: Slice) -> Facts:
        if piece.plan is None and piece.device == VIRTUAL_GPU:
            return {"kind": VIRTUAL_GPU, "type": "virtio-gpu"}
        if cell.is_floating(piece):
            return {"kind": FLOATING}
        if vsock.is_vsock(piece) or cell.is_cell(piece):
            return piece.facts
        if piece.plan is None and piece.pool == pool_name(self.node, usb.KIND):
            return usb.facts(self._usb(self._sysfs), piece)
        if piece.plan is None:
            return self._given(piece)
        group = vfio.group(self._sysfs, piece.plan.device)
        if group is None:
            raise ClaimError(f"{piece.plan.id} on {piece.plan.parent} has no IOMMU group: load its VFIO driver")
        network = links.told(self._sysfs, piece.plan.parent) if piece.plan.facts.get("kind") == NIC else {}
        return piece.plan.facts | {"iommuGroup": group} | self._groups(piece.plan) | network

    def _given(self, piece: Slice) -> Facts:
        if piece.pool != pool_name(self.node, "tap"):
            return {"accelerated": self._doors.accelerated()}
        told = self._doors.tap()
        if told is None:
            raise ClaimError(f"{taps.TUN} can not be opened: load the module tun on this node")
        return told

    def _groups(self, plan: Plan) -> Facts:
        """The IOMMU groups of a card with functions in several of them, "12 13"."""
        addresses = str(plan.facts.get("pciFunctions", "")).split()
        groups = (vfio.group(self._sysfs, f"{pci.DEVICES}/{address}") for address in addresses)
        found = sorted({group for group in groups if group is not None})
        return {"iommuGroups": " ".join(map(str, found))} if len(found) > 1 else {}


def _ours(entries: list[Entry]) -> dict[str, str]:
    return {s.plan.id: s.device for e in entries for s in e.slices if s.plan}


def _holders(sysfs: Sysfs, carving: Carving) -> tuple[str, ...]:
    if pci.is_address(carving.id):
        return tuple(map(str, pci.openers(sysfs, carving.id)))
    return tuple(map(str, sysfs.openers(f"/dev/vfio/{carving.iommu_group}")))


def _refusal(sysfs: Sysfs, rules: RulesOf, address: str) -> str:
    return why_not_whole(sysfs, address, rules) if pci.is_address(address) else ""
