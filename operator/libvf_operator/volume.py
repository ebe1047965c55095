"""The PersistentVolumeClaims of a VM: its state's own, and who may write to which file of which. Pure.

A file of a claim has one writer or any number of readers, as an overlay is corrupt once its base is written to. Files
of nodes (hostPath) are not looked at here: the same path is another file on another node, and QEMU's own locks keep
two writers apart there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from libvf_api import names

from libvf_operator import installation
from libvf_operator.block import Block
from libvf_operator.objects import Object, child, condition, deleting, owned_by

KIND = "PersistentVolumeClaim"


@dataclass(frozen=True, slots=True)
class Use:
    """What a VM does with a file of a claim; the state's use is of the claim as a whole, its path is empty."""

    what: str
    claim: str
    path: str
    writes: bool

    @property
    def place(self) -> str:
        """What is locked, unique in a namespace."""
        return f"{self.claim}:{self.path}"


def uses(machine: str, spec: Object) -> Iterator[Use]:
    """All that a VM of that name and spec does with claims."""
    if claim := state_claim(machine, spec):
        yield Use("spec.state", claim, "", writes=True)
    for disk in spec.get("disks", []):
        if volume := disk.get("persistentVolumeClaim"):
            writes = disk.get("changes", "Source") == "Source" and not disk.get("readOnly")
            yield Use(f"disk {disk['name']}", volume["claimName"], volume.get("path", names.DISK_FILE), writes)
    for cdrom in spec.get("cdroms", []):
        if volume := cdrom.get("persistentVolumeClaim"):
            yield Use(f"CD-ROM {cdrom['name']}", volume["claimName"], volume.get("path", names.DISK_FILE), writes=False)


def used_now(machine: Object) -> Iterator[Use]:
    """What it does with them as things stand: an installer's CD is no more used once it has installed."""
    return uses(machine["metadata"]["name"], installation.spec_now(machine))


def state_claim(machine: str, spec: Object) -> str | None:
    """The claim of spec.state; None where the VM keeps nothing."""
    state = spec.get("state")
    if not state:
        return None
    return str(state["persistentVolumeClaim"]["claimName"]) if "size" not in state else f"{machine}-state"


def for_state(machine: Object) -> Object | None:
    """The claim that is made with the VM and goes with it; it is there while the VM is halted, too."""
    name, state = machine["metadata"]["name"], machine["spec"].get("state", {})
    if "size" not in state:
        return None
    claim = child("v1", KIND, f"{name}-state", machine, {names.MACHINE_LABEL: name})
    claim["spec"] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": str(state["size"])}},
        **({"storageClassName": state["storageClassName"]} if "storageClassName" in state else {}),
    }
    return claim


def blocked(machine: Object, seen: Mapping[tuple[str, str], Object], taken: Mapping[str, str]) -> Block | None:
    """Why no Pod may be made, or None; `taken` maps a use to who has its file.

    A claim that is pending is no reason: many are bound only when a Pod wants them.
    """
    made = for_state(machine)
    for use in used_now(machine):
        claim = seen.get((KIND, use.claim))
        ours = made is not None and use.claim == made["metadata"]["name"]
        if block := _blocked_claim(use, claim, machine if ours else None):
            return block
        if holder := taken.get(use.what):
            return Block("DiskInUse", f"{use.what}: {_told(use)} is in use by {holder}: {_other_way(use)}")
    return None


def pending(machine: Object, seen: Mapping[tuple[str, str], Object], scheduler: str) -> str:
    """Why a Pod waits for a claim, with the scheduler's words; empty where it waits for something else."""
    if not any(word in scheduler.lower() for word in ("persistentvolume", "persistent volume")):
        return ""
    for use in used_now(machine):
        claim = seen.get((KIND, use.claim)) or {}
        if (claim.get("status") or {}).get("phase") != "Bound":
            return f"{use.what}: {KIND} {use.claim} is not bound: {_why_pending(use, claim)} ({scheduler})"
    return ""


def _blocked_claim(use: Use, claim: Object | None, owner: Object | None) -> Block | None:
    """`owner` is the VM for a claim that we make."""
    if claim is None and owner is None:
        cure = "create it, or name another"
        return Block("VolumeMissing", f"{use.what}: there is no {KIND} {use.claim} in this namespace: {cure}")
    if claim is None or deleting(claim):
        return Block("PreparingVolumes", f"waiting for {KIND} {use.claim}", stalled=False)
    if owner and not owned_by(claim, owner):
        cure = "name it by spec.state.persistentVolumeClaim, or rename one of the two"
        return Block("NotOurs", f"{KIND} {use.claim} was made by somebody else: {cure}")
    if (claim.get("status") or {}).get("phase") == "Lost":
        cure = "bring that volume back, or delete the claim to begin with an empty one"
        return Block("VolumeLost", f"{use.what}: {KIND} {use.claim} has lost its PersistentVolume: {cure}")
    return None


def _why_pending(use: Use, claim: Object) -> str:
    if not claim.get("spec", {}).get("storageClassName"):
        field = "spec.state.storageClassName" if use.what == "spec.state" else "the claim's storageClassName"
        return f"the cluster has no default StorageClass: set {field}"
    resizing = condition(claim, "Resizing").get("message", "")
    return resizing or f"see kubectl describe pvc {use.claim} for what its StorageClass says"


def _told(use: Use) -> str:
    return f"{KIND} {use.claim}" if not use.path else f"{use.path} on {KIND} {use.claim}"


def _other_way(use: Use) -> str:
    if not use.path:
        return "stop that one, or use a claim of its own"
    return "it starts when that one stops; to run both, use another disk, or changes Discard or Keep in both"
