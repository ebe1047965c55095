"""Why a VM or a partition waits: for each card and each of its types, in plain words. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from libvf_api.offers import Counts, Offer, Place, holders, left, offers, unfit, wanted
from libvf_api.quantity import of_bytes

from libvf_cli.kubectl import Json
from libvf_cli.machines import condition, state
from libvf_cli.table import aligned

HEAD = ("NODE", "CARD", "TYPE", "VRAM", "FREE", "WHY NOT")
_HOLDERS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A type on a card: how many are offered, how many of these nobody has, and why none does."""

    node: str
    card: str
    type: str
    vram: int
    offered: int
    free: int
    fits: bool
    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """A request for a slice that has none."""

    partition: str
    wants: str
    scheduler: str
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """One machine or partition: where it stands, and what it waits for."""

    kind: str
    name: str
    namespace: str
    reason: str
    message: str
    waits: bool
    slices: tuple[Wait, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is published and allocated; `slices` is None where the user may not see it."""

    slices: list[Json] | None
    claims: list[Json]


def of_partition(partition: Json, cluster: Cluster, scheduler: str = "") -> Account:
    """What a GpuPartition waits for."""
    meta, (reason, message) = partition["metadata"], _state(partition)
    allocated = condition(partition, "Allocated").get("status") == "True"
    consumed = bool((partition.get("status") or {}).get("consumer"))
    waits = not allocated and (consumed or bool(scheduler))
    wait = () if allocated else (_wait(meta["name"], partition["spec"], cluster, scheduler),)
    return Account("GpuPartition", meta["name"], meta["namespace"], reason, message, waits, wait if waits else ())


def of_machine(machine: Json, partitions: Sequence[Json], cluster: Cluster, pod: Json | None) -> Account:
    """What a VM waits for: its slices first, then what its own condition says."""
    meta, (reason, message) = machine["metadata"], state(machine)
    ready = condition(machine, "Ready").get("status") == "True"
    resting = ready or reason in ("Halted", "Completed")
    used = {p["name"] for p in (machine.get("status") or {}).get("partitions") or []}
    told = verdict(pod)
    lacking = [p for p in partitions if p["metadata"]["name"] in used and not _allocated(p)] if told else []
    waits = () if resting else tuple(_wait(p["metadata"]["name"], p["spec"], cluster, told) for p in lacking)
    return Account("VirtualMachine", meta["name"], meta["namespace"], reason, message, not resting, waits)


def text(accounts: Sequence[Account]) -> str:
    """All of them, those that wait first."""
    if not accounts:
        return "nothing is here: neither a VirtualMachine nor a GpuPartition"
    ordered = sorted(accounts, key=lambda one: (not one.waits, one.kind, one.name))
    return "\n\n".join("\n".join(_told(one)) for one in ordered)


def _told(account: Account) -> Iterator[str]:
    word = "waits" if account.waits else "does not wait"
    yield f"{account.kind} {account.name} {word}: {account.reason}: {account.message}".rstrip(": ")
    for wait in account.slices:
        yield f"  {wait.partition} asks for {wait.wants}; the scheduler says: {wait.scheduler or 'nothing yet'}"
        rows = [
            (
                row.node,
                row.card,
                row.type,
                of_bytes(row.vram) if row.vram else "-",
                f"{row.free}/{row.offered}",
                row.why,
            )
            for row in wait.rows
        ]
        yield from (f"    {line}" for line in aligned(HEAD, rows).splitlines())


def _wait(name: str, spec: Json, cluster: Cluster, scheduler: str) -> Wait:
    if cluster.slices is None:
        return Wait(name, wanted(spec), scheduler)
    offered, held = offers(cluster.slices), holders(cluster.claims)
    remaining = left(cluster.slices, offered, held)
    groups: dict[tuple[str, str, str], list[Offer]] = defaultdict(list)
    for offer in offered:
        groups[offer.node, offer.parent or offer.pool, offer.type].append(offer)
    rows = (_row(key, group, spec, held, remaining) for key, group in groups.items())
    return Wait(name, wanted(spec), scheduler, tuple(sorted(rows, key=lambda row: (not row.fits, row.node, row.card))))


def _row(key: tuple[str, str, str], group: list[Offer], spec: Json, held: dict[Place, str], remaining: Counts) -> Row:
    free = [offer for offer in group if offer.place not in held]
    why = unfit(spec, group[0])
    fits = not why
    return Row(*key, group[0].vram, len(group), len(free), fits, why or _kept(group, free, held, remaining))


def _kept(group: list[Offer], free: list[Offer], held: dict[Place, str], remaining: Counts) -> str:
    """Why a type that fits is not given: all are taken, the rest of the card does not do, or it is not the card."""
    if not free:
        return f"all are in use by {_few({held[offer.place] for offer in group})}"
    if not any(all(remaining[name] >= count for name, count in offer.takes.items()) for offer in free):
        sharing = {user for place, user in held.items() if place[0] == group[0].pool}
        return f"does not fit on the card beside {_few(sharing)}"
    return "fits and is free: the node lacks something else, which the scheduler names"


def _few(users: set[str]) -> str:
    more = f" and {len(users) - _HOLDERS} more" if len(users) > _HOLDERS else ""
    return ", ".join(sorted(users)[:_HOLDERS]) + more


def _allocated(partition: Json) -> bool:
    return bool(condition(partition, "Allocated").get("status") == "True")


def _state(partition: Json) -> tuple[str, str]:
    ready = condition(partition, "Ready")
    return str(ready.get("reason") or "New"), str(ready.get("message") or "")


def verdict(pod: Json | None) -> str:
    """What the scheduler said when it could not place a Pod; empty where it has not."""
    scheduled = condition(pod or {}, "PodScheduled")
    return str(scheduled.get("message") or "no reason given") if scheduled.get("status") == "False" else ""
