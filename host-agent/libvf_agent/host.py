"""One host's carving: from a claim to devices and back, and what is offered meanwhile.

Synchronous; the driver calls it on worker threads, one call at a time: kernel writes are quick, and two
claims that plan at once would both see the last free instance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from libvf_agent import cdi, kvm, metadata
from libvf_agent.backends import Backend
from libvf_agent.carve import Carver
from libvf_agent.cdi import HOOK
from libvf_agent.claim_status import entry_of
from libvf_agent.claims import Claim, Result
from libvf_agent.errors import AgentError, ClaimError
from libvf_agent.inventory import Carving, Gpu
from libvf_agent.journal import Entry, Journal, Phase, Slice
from libvf_agent.slices import Json, Node, pool_name, pool_of_gpu, pool_of_kvm
from libvf_agent.steps import Plan
from libvf_agent.sysfs import Sysfs

Facts = dict[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a host's files of ours are."""

    state: Path
    cdi: Path
    metadata: Path
    hook: str = HOOK


class Host:
    """The parts of a host together; `accelerated` looks at /dev/kvm."""

    def __init__(
        self,
        node: str,
        sysfs: Sysfs,
        backends: tuple[Backend, ...],
        places: Places,
        accelerated: Callable[[], bool] = kvm.accelerated,
    ) -> None:
        self.node = node
        self.journal = Journal(places.state / "journal")
        self.carver = Carver(sysfs, self.journal)
        self._sysfs = sysfs
        self._backends = backends
        self._places = places
        self._accelerated = accelerated
        self._one = threading.RLock()

    def recover(self) -> list[AgentError]:
        """After a start: takes the journal and mends what a killed agent left."""
        with self._one:
            self.journal.lock()
            return self.carver.recover()

    def prepare(self, claim: Claim, results: tuple[Result, ...]) -> Entry:
        """Carves the allocation and puts metadata and CDI files in place; the same again changes nothing."""
        with self._one:
            wanted = msgspec.structs.replace(entry_of(claim, results), boot_id=self.carver.boot_id())
            done = self._with_facts(self.carver.ensure(wanted, self._planned))
            cdi.write(self._places.cdi, done, metadata.write(self._places.metadata, done), self._places.hook)
            return done

    def unprepare(self, uid: str) -> None:
        """Gives everything of the claim back; nothing to do for a claim we never saw."""
        with self._one:
            entry = self.journal.get(uid)
            if entry:
                self.carver.undo(entry)
            cdi.remove(self._places.cdi, uid)
            metadata.remove(self._places.metadata, uid)

    def offered(self, node: Node) -> list[Json]:
        """The slice specs of all cards and of kvm."""
        with self._one:
            ours = self._ours()
            pools = [pool_of_gpu(node, backend.offers(gpu, ours)) for backend, gpu in self._gpus()]
        return [spec for pool in [*pools, pool_of_kvm(node, self._accelerated())] for spec in pool]

    def lost(self) -> list[tuple[Entry, Slice]]:
        """Devices that were carved in this boot and are not there any more."""
        boot = self.carver.boot_id()
        entries = [e for e in self.journal.readable()[0] if e.phase is Phase.COMPLETED and e.boot_id == boot]
        return [(e, s) for e in entries for s in e.slices if s.plan and not self._observed(s.plan.uuid)]

    def carved(self) -> int:
        """How many devices of ours exist by the journal."""
        entries = [entry for entry in self.journal.readable()[0] if entry.phase is Phase.COMPLETED]
        return sum(1 for entry in entries for piece in entry.slices if piece.plan)

    def _gpus(self) -> list[tuple[Backend, Gpu]]:
        return [(backend, gpu) for backend in self._backends for gpu in backend.discover(self._sysfs)]

    def _ours(self) -> dict[str, str]:
        entries = self.journal.readable()[0]
        return {s.plan.uuid: s.device for e in entries for s in e.slices if s.plan}

    def _planned(self, wanted: Entry) -> Entry:
        """The entry with the plans of its devices, one card after the other."""
        plans: dict[tuple[str, str], Plan] = {}
        for pool in sorted({s.pool for s in wanted.slices} - {pool_name(self.node, "kvm")}):
            backend, gpu = self._card(pool)
            devices = tuple(s.device for s in wanted.slices if s.pool == pool)
            made = backend.plan(gpu, devices, wanted.uid)
            plans |= {(pool, device): plan for device, plan in zip(devices, made, strict=True)}
        planned = (msgspec.structs.replace(s, plan=plans.get((s.pool, s.device))) for s in wanted.slices)
        return msgspec.structs.replace(wanted, slices=tuple(planned))

    def _card(self, pool: str) -> tuple[Backend, Gpu]:
        for backend, gpu in self._gpus():
            if pool_name(self.node, gpu.name) == pool:
                return backend, gpu
        raise ClaimError(f"no card of this host is pool {pool}: load its driver, or delete the Pod that waits")

    def _with_facts(self, entry: Entry) -> Entry:
        """The entry with what the kernel says of its devices now; groups are numbered anew at each boot."""
        slices = tuple(msgspec.structs.replace(s, facts=self._facts(s)) for s in entry.slices)
        return msgspec.structs.replace(entry, slices=slices)

    def _facts(self, piece: Slice) -> Facts:
        if piece.plan is None:
            return {"accelerated": self._accelerated()}
        carving = self._observed(piece.plan.uuid)
        if carving is None or carving.iommu_group is None:
            raise ClaimError(f"{piece.plan.uuid} on {piece.plan.parent} has no IOMMU group: load its VFIO driver")
        _, gpu = self._card(piece.pool)
        kind = gpu.type(piece.plan.type)
        facts: dict[str, str | int | bool | None] = {
            "parent": gpu.name,
            "type": piece.plan.type,
            "mode": gpu.mode,
            "vram": kind.vram if kind and kind.vram else None,
            "mdevUUID": piece.plan.uuid,
            "pciAddress": gpu.pci_address,
            "iommuGroup": carving.iommu_group,
            "numaNode": gpu.numa_node,
            "display": kind.display if kind else False,
        }
        return {key: value for key, value in facts.items() if value is not None}

    def _observed(self, uuid: str) -> Carving | None:
        found = (backend.observe(self._sysfs, uuid) for backend in self._backends)
        return next((carving for carving in found if carving), None)
